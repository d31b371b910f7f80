/** Show one open call: who, which line, since when, what matters in the first second, and what can be done. */

import { chips } from "./card_words.js";
import { createChoice } from "./choice.js";
import { createControls } from "./controls.js";
import { awayLink, el, icon, pressable, redraw, setFacts, setText } from "./dom.js";
import { isQuiet } from "./focus.js";
import { t } from "./texts.js";
import { accountOf, contactOf, detailFacts, lineFacts, phaseOf, phaseWords, whoOf } from "./words.js";

/** Make the card of an open call: `{node, update(call), find()}`; every line has its place before it has its text. */
export function createCard(first, actions) {
  const headline = `who-${first.id}`;
  const slots = {
    icon: el("span", { class: "call-icon" }),
    phase: el("span", { class: "call-phase" }),
    timer: el("span", { class: "timer", role: "timer" }),
    line: el("p", { class: "call-line" }),
    who: el("h2", { class: "call-who", id: headline, tabindex: "-1" }),
    detail: el("p", { class: "call-detail" }),
    chips: el("ul", { class: "chips" }),
  };
  const choice = createChoice(first, actions);
  const controls = createControls(first, actions);
  const links = el("div", { class: "call-links" });
  const state = el("p", { class: "call-state" }, slots.icon, slots.phase, slots.timer);
  const top = el("header", { class: "call-top" }, state, slots.line);
  const identity = el("div", { class: "call-identity" }, slots.who, slots.detail, slots.chips);
  // Who it is comes before what can be done with the call, on the page as on the keyboard's way through it.
  const does = el("div", { class: "call-does" }, links, controls.node);
  const rest = [choice.node, does, choice.panel, choice.problem, controls.panel, controls.reason];
  const card = el("article", { class: "call", "aria-labelledby": headline }, top, identity, ...rest);
  const node = el("li", {}, card);

  function update(call) {
    Object.assign(card.dataset, { phase: phaseOf(call), lookup: call.lookup, call: call.id });
    card.toggleAttribute("data-quiet", isQuiet(call));
    card.toggleAttribute("data-active", actions.isActive(call.id));
    const since = call.state === "ringing" ? call.startedAt : call.answeredAt;
    slots.timer.dataset.since = since ?? "";
    slots.timer.hidden = since === null;
    redraw(slots.icon, phaseOf(call), () => [icon(phaseOf(call))]);
    setText(slots.phase, phaseWords(call));
    setFacts(slots.line, lineFacts(call));
    setText(slots.who, whoOf(call));
    setFacts(slots.detail, detailFacts(call));
    updateChips(slots.chips, call, actions);
    choice.update(call);
    controls.update(call);
    updateLinks(links, call, actions, choice.toggle);
  }

  return { node, update, find: choice.open };
}

function updateChips(slot, call, { cards, now }) {
  const shown = chips(call, cards.of(call.id).card, now());
  redraw(slot, shown, () => shown.map(({ words, isLate }) => el("li", { class: "chip", "data-late": isLate }, words)));
}

/** Offer to say who it is, the card where it does not show by itself, and Desk's page where the rules want that. */
function updateLinks(slot, call, { isActive, show, create, cards }, toggle) {
  const known = contactOf(call) ?? accountOf(call);
  const opens = call.pop?.now && ["open", "card_and_open"].includes(call.pop.then) && known?.url;
  const isShown = isActive(call.id);
  const unseen = () => el("span", { class: "unseen" }, ` ${t("of {who}", { who: whoOf(call) })}`);
  const creates = !isShown && known === null && call.may.create && cards.of(call.id).card?.newFields;
  redraw(slot, [toggle.hidden, opens, isShown, creates, whoOf(call)], () =>
    [
      toggle,
      opens && asButton(awayLink(opens, t("Open in Desk"), whoOf(call))),
      isShown ? null : pressable("act", () => show(call.id), { "data-key": "card" }, icon("card"), t("Show card"), unseen()),
      creates && pressable("act", () => create(call.id), { "data-key": "new" }, icon("plus"), t("New contact")),
    ].filter(Boolean),
  );
}

function asButton(link) {
  link.classList.add("act");
  return link;
}
