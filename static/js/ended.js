/** Show one ended call in short: who, what came of it, and how its record stands. */

import { createChoice } from "./choice.js";
import { dialler } from "./dial.js";
import { awayLink, el, icon, pressable, redraw, setFacts, setText } from "./dom.js";
import { at } from "./site.js";
import { t } from "./texts.js";
import { contactOf, detailFacts, lineFacts, numberOf, phaseOf, phaseWords, recordWords, summaryWords, whoOf } from "./words.js";

/** Make the row of an ended call: `{node, update(call)}`; `dismiss(id)` removes it, `actions.dial` calls again. */
export function createEnded(first, actions, dismiss) {
  const headline = `who-${first.id}`;
  const slots = {
    icon: el("span", { class: "call-icon" }),
    phase: el("span", { class: "call-phase" }),
    summary: el("span", { class: "ended-summary" }),
    who: el("h3", { class: "ended-who", id: headline, tabindex: "-1" }),
    detail: el("p", { class: "ended-detail" }),
    record: el("p", { class: "ended-record" }),
    links: el("p", { class: "ended-links" }),
    unseen: el("span", { class: "unseen" }),
  };
  const choice = createChoice(first, actions, "plain");
  const button = el("button", { type: "button", class: "dismiss" }, icon("close"), slots.unseen);
  button.addEventListener("click", () => dismiss(first.id));
  const state = el("p", { class: "call-state" }, slots.icon, slots.phase, slots.summary);
  const identity = el("div", { class: "ended-identity" }, state, slots.who, slots.detail);
  const outcome = el("div", { class: "ended-outcome" }, slots.record, slots.links);
  const label = { class: "ended", "aria-labelledby": headline };
  const card = el("article", label, identity, outcome, button, choice.node, choice.panel, choice.problem);
  const node = el("li", {}, card);

  function update(call) {
    Object.assign(card.dataset, { phase: phaseOf(call), call: call.id });
    redraw(slots.icon, phaseOf(call), () => [icon(phaseOf(call))]);
    setText(slots.phase, phaseWords(call));
    setText(slots.summary, summaryWords(call));
    setText(slots.who, whoOf(call));
    setFacts(slots.detail, [...detailFacts(call), ...lineFacts(call)]);
    setText(slots.record, recordWords(call));
    slots.record.dataset.record = call.record.state;
    setText(slots.unseen, t("Dismiss call with {who}", { who: whoOf(call) }));
    choice.update(call);
    // Once the record stands in Desk it belongs to its contact there.
    const isOver = call.record.state === "written" || call.isWithdrawn;
    choice.node.hidden ||= isOver;
    choice.toggle.hidden ||= isOver;
    updateLinks(slots.links, call, actions, choice.toggle);
  }

  return { node, update, find: choice.open };
}

function updateLinks(slot, call, { dials, dial, show, shows }, toggle) {
  const contact = contactOf(call);
  const number = numberOf(call);
  const label = call.direction === "outbound" ? t("Call again") : t("Call back");
  const again = (to) => dial(to, { callId: call.id, contactId: contact?.id ?? null });
  redraw(slot, [contact?.id, contact?.url, call.record.url, call.key, number, whoOf(call), dials(), shows(call), toggle.hidden], () =>
    [
      number && dialler(number, { label, context: whoOf(call), dials: dials(), dial: again }),
      shows(call) && pressable("plain", () => show(call.id), { "data-key": "card" }, t("Show card"), el("span", { class: "unseen" }, ` ${t("of {who}", { who: whoOf(call) })}`)),
      toggle.hidden ? null : toggle,
      contact?.url && awayLink(contact.url, t("Contact"), whoOf(call)),
      call.record.url && awayLink(call.record.url, t("Call record"), t("of {who}", { who: whoOf(call) })),
      // Nobody but a supervisor may see the history of a call that was never theirs.
      call.key && call.mine && awayLink(at(`/calls/${encodeURIComponent(call.key)}`), t("History"), t("of the call with {who}", { who: whoOf(call) })),
    ].filter(Boolean),
  );
}
