/** Let the agent say who is calling: which of several contacts, or that it is none of those who were found. */

import { awayLink, el, icon, redraw, setFacts, setText } from "./dom.js";
import { matchFacts, NOBODY } from "./words.js";

/**
 * Make the choice for the call that `update(call)` shows; hidden where nobody was found.
 * `choose(callId, contactId|NOBODY|null)` is awaited; pressing what is chosen again takes the choice back.
 * A single match is taken as it is, and can be said to be wrong.
 */
export function createChoice(choose) {
  const list = el("ul", { class: "choice-list" });
  const problem = el("p", { class: "problem", role: "alert" });
  const legend = el("legend", {});
  const node = el("fieldset", { class: "choice" }, legend, list, problem);

  async function press(call, id) {
    problem.textContent = "";
    list.setAttribute("aria-busy", "true");
    try {
      await choose(call.id, id === call.chosen ? null : id);
    } catch {
      problem.textContent = "Your choice did not reach the connector. Try again.";
    } finally {
      list.removeAttribute("aria-busy");
    }
  }

  function toButton(call, id, ...words) {
    const attributes = { type: "button", "aria-pressed": String(id === call.chosen), "data-contact": id };
    const button = el("button", attributes, el("span", {}, ...words), icon("check"));
    button.addEventListener("click", () => press(call, id));
    return button;
  }

  function toRow(call, contact) {
    const label = el("span", { class: "choice-label" }, contact.name ?? call.number.display);
    const facts = el("span", { class: "choice-account" });
    setFacts(facts, matchFacts(contact));
    const link = contact.url && awayLink(contact.url, "Desk", contact.name ?? "");
    return el("li", {}, toButton(call, contact.id, label, " ", facts), link);
  }

  function toNobody(call, isOnlyMatch) {
    const words = isOnlyMatch ? "It is somebody else" : "None of these";
    const button = toButton(call, NOBODY, el("span", { class: "choice-label" }, words));
    button.classList.toggle("plain", isOnlyMatch);
    return el("li", {}, button);
  }

  return {
    node,
    update(call) {
      node.hidden = call.contacts.length === 0;
      const isOnlyMatch = call.contacts.length === 1 && call.chosen === null;
      const isChosen = call.chosen === NOBODY || call.contacts.some((contact) => contact.id === call.chosen);
      node.toggleAttribute("data-only", isOnlyMatch);
      legend.classList.toggle("unseen", isOnlyMatch);
      setText(legend, isOnlyMatch ? "Is it right?" : isChosen ? "It is" : "Who is it?");
      const offered = node.hidden || isOnlyMatch ? [] : call.contacts;
      const focused = node.contains(document.activeElement) ? document.activeElement.dataset.contact : undefined;
      redraw(list, [offered, call.chosen, node.hidden], () =>
        node.hidden ? [] : [...offered.map((contact) => toRow(call, contact)), toNobody(call, isOnlyMatch)],
      );
      if (focused !== undefined && !node.contains(document.activeElement)) focusContact(list, focused);
    },
  };
}

function focusContact(list, id) {
  const buttons = [...list.querySelectorAll("button")];
  (buttons.find((button) => button.dataset.contact === id) ?? buttons[0])?.focus();
}
