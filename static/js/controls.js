/** Let the agent end a call of theirs, or hand it over to a colleague. */

import { el, icon, redraw, setText } from "./dom.js";
import { t } from "./texts.js";
import { cannotWords, phaseOf, whoOf } from "./words.js";

const FILTERED_FROM = 8;

/**
 * Make the controls of the call that `update(call)` shows; hidden where its phone system does nothing for us.
 * `reason` says why, where that is not as expected; `panel` is where a colleague is picked.
 */
export function createControls(first, { orders, colleagues }) {
  const unseen = el("span", { class: "unseen" });
  const words = el("span", {});
  const hangUp = el("button", { type: "button", class: "act hang-up" }, icon("hangup"), words, unseen);
  hangUp.addEventListener("click", () => orders.hangUp(first.id));
  const handover = createHandover(first, orders, colleagues);
  const reason = el("p", { class: "quiet" });
  // Last and apart: what ends a call is not pressed by mistake.
  const node = el("div", { class: "controls" }, handover.toggle, hangUp);
  return {
    node,
    reason,
    panel: handover.panel,
    update(call) {
      setText(reason, cannotWords(call));
      reason.hidden = reason.textContent === "";
      node.hidden = call.can.length === 0;
      hangUp.hidden = !call.can.includes("hang_up");
      setText(words, phaseOf(call) === "ringing" ? t("Decline") : t("Hang up"));
      setText(unseen, ` ${whoOf(call)}`);
      handover.update(call);
    },
  };
}

function createHandover(first, orders, ask) {
  const id = `colleagues-${first.id}`;
  const unseen = el("span", { class: "unseen" });
  const label = { type: "button", class: "act", "aria-expanded": "false", "aria-controls": id };
  const toggle = el("button", label, icon("handover"), t("Hand over"), unseen);
  const status = el("p", { role: "status" });
  const list = el("ul", { class: "colleagues" });
  const filter = el("input", { type: "search", placeholder: t("Name or extension"), "aria-label": t("Find a colleague") });
  const group = { class: "handover", id, role: "group", "aria-label": t("Hand over to"), tabindex: "-1", hidden: true };
  const panel = el("div", group, filter, status, list);
  let found = [];

  function close() {
    if (panel.hidden) return;
    const hadFocus = panel.contains(document.activeElement);
    panel.hidden = true;
    toggle.setAttribute("aria-expanded", "false");
    if (hadFocus && !toggle.hidden) toggle.focus();
  }

  async function open() {
    panel.hidden = false;
    toggle.setAttribute("aria-expanded", "true");
    filter.value = "";
    found = [];
    draw(t("Looking who is there…"));
    panel.focus();
    try {
      found = await ask(first.id);
      draw(found.length === 0 ? t("No colleague has a telephone at this phone system.") : "");
    } catch {
      draw(t("The connector did not answer. Close this and try again."));
    }
    // Only where the focus still waits: whoever has gone on is not called back.
    if (document.activeElement === panel) (panel.querySelector("input:not([hidden]), button") ?? panel).focus();
  }

  function draw(sentence) {
    const text = filter.value.trim().toLowerCase();
    const shown = found.filter((one) => `${one.name} ${one.telephone}`.toLowerCase().includes(text));
    filter.hidden = found.length < FILTERED_FROM;
    setText(status, sentence || (shown.length === 0 && text ? t("Nobody is called so.") : ""));
    redraw(list, shown, () => shown.map(toRow));
  }

  function toRow(one) {
    const telephone = el("span", { class: "colleague-telephone" }, one.telephone);
    const busy = one.busy ? el("span", { class: "colleague-busy" }, t("in a call")) : null;
    const button = el("button", { type: "button" }, el("span", {}, one.name), " ", telephone, " ", busy);
    button.addEventListener("click", () => {
      close();
      orders.handOver(first.id, one.telephone);
    });
    return el("li", {}, button);
  }

  toggle.addEventListener("click", () => (panel.hidden ? open() : close()));
  filter.addEventListener("input", () => draw(""));
  panel.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), close()));
  toggle.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    event.stopPropagation();
    close();
  });
  return {
    toggle,
    panel,
    update(call) {
      toggle.hidden = !call.can.includes("transfer");
      setText(unseen, ` ${t("the call with {who}", { who: whoOf(call) })}`);
      if (toggle.hidden) close();
    },
  };
}
