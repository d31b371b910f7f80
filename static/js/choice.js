/** Let the agent say who is calling when several contacts share a number. */

import { awayLink, el, icon, redraw, setText } from "./dom.js";

/**
 * Make the choice for the call that `update(call)` shows; hidden unless several contacts match.
 * `choose(callId, contactId|null)` is awaited; pressing the chosen contact again takes the choice back.
 */
export function createChoice(choose) {
  const list = el("ul", { class: "choice-list" });
  const problem = el("p", { class: "problem", role: "alert" });
  const legend = el("legend", {});
  const node = el("fieldset", { class: "choice" }, legend, list, problem);

  async function press(call, contact) {
    problem.textContent = "";
    list.setAttribute("aria-busy", "true");
    try {
      await choose(call.id, contact.id === call.chosen ? null : contact.id);
    } catch {
      problem.textContent = "Your choice did not reach the connector. Try again.";
    } finally {
      list.removeAttribute("aria-busy");
    }
  }

  function toRow(call, contact) {
    const chosen = contact.id === call.chosen;
    const label = el("span", { class: "choice-label" }, contact.name ?? call.number.display);
    const account = contact.account && el("span", { class: "choice-account" }, contact.account);
    const attributes = { type: "button", "aria-pressed": String(chosen), "data-contact": contact.id };
    const button = el("button", attributes, el("span", {}, label, account), icon("check"));
    button.addEventListener("click", () => press(call, contact));
    const link = contact.url && awayLink(contact.url, "Desk", contact.name ?? "");
    return el("li", {}, button, link);
  }

  return {
    node,
    update(call) {
      node.hidden = call.contacts.length < 2;
      setText(legend, call.contacts.some((contact) => contact.id === call.chosen) ? "It is" : "Who is it?");
      const offered = node.hidden ? [] : call.contacts;
      const focused = node.contains(document.activeElement) ? document.activeElement.dataset.contact : undefined;
      redraw(list, [offered, call.chosen], () => offered.map((contact) => toRow(call, contact)));
      if (focused !== undefined && !node.contains(document.activeElement)) focusContact(list, focused);
    },
  };
}

function focusContact(list, id) {
  const buttons = [...list.querySelectorAll("button")];
  (buttons.find((button) => button.dataset.contact === id) ?? buttons[0])?.focus();
}
