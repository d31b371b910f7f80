/** Let the agent say who is calling: which of several contacts, somebody who is searched for, or none of these. */

import { failureWords } from "./card_words.js";
import { el, icon, awayLink, pressable, redraw, setFacts, setText } from "./dom.js";
import { createFinder } from "./finder.js";
import { t } from "./texts.js";
import { matchFacts, NOBODY, whoOf } from "./words.js";

/**
 * Make the choice for the call that `update(call)` shows: `node` the matches, `toggle` the button of "Someone else?",
 * `panel` the search behind it, opened by `open()`.
 * `choose(callId, contactId|NOBODY|null)` is awaited; pressing what is chosen again takes the choice back.
 * A single match is taken as it is, and can be said to be wrong. `kind` is the look of the button.
 */
export function createChoice(first, { choose, search }, kind = "act") {
  const id = `finder-${first.id}`;
  const list = el("ul", { class: "choice-list" });
  const problem = el("p", { class: "problem", role: "alert" });
  const legend = el("legend", {});
  const node = el("fieldset", { class: "choice" }, legend, list);
  const words = el("span", {});
  const unseen = el("span", { class: "unseen" });
  const toggle = pressable(kind, flip, { "aria-expanded": "false", "aria-controls": id, "data-key": "who" }, kind === "act" ? icon("search") : null, words, unseen);
  const nobody = pressable("plain", () => press(NOBODY), { "data-contact": NOBODY }, t("None of these"));
  const finder = createFinder({ id, search, pick: (contact) => press(contact.id) });
  finder.node.append(nobody);
  let current = first;
  let hasOffered = false;

  async function press(contactId) {
    const isFound = finder.node.contains(document.activeElement);
    problem.textContent = "";
    list.setAttribute("aria-busy", "true");
    try {
      await choose(current.id, contactId === current.chosen ? null : contactId);
      if (!finder.node.hidden) close();
      if (isFound) toggle.focus();
    } catch (error) {
      const refused = error.status >= 400 && error.status < 500 && error.detail;
      problem.textContent = refused ? failureWords(error) : t("Your choice did not reach the connector. Try again.");
    } finally {
      list.removeAttribute("aria-busy");
    }
  }

  function close() {
    const hadFocus = finder.node.contains(document.activeElement);
    finder.node.hidden = true;
    finder.clear();
    toggle.setAttribute("aria-expanded", "false");
    if (hadFocus) (toggle.hidden ? list.querySelector("button") : toggle)?.focus();
  }

  function open({ takesFocus = true } = {}) {
    finder.node.hidden = false;
    toggle.setAttribute("aria-expanded", "true");
    if (takesFocus) finder.focus();
  }

  function flip() {
    if (finder.node.hidden) open();
    else close();
  }

  function closeByKey(event) {
    if (event.key !== "Escape" || finder.node.hidden) return;
    event.stopPropagation();
    close();
  }

  function toButton(call, contactId, ...inside) {
    const pressed = String(contactId === call.chosen);
    const attributes = { "aria-pressed": pressed, "data-contact": contactId, "data-key": contactId };
    return pressable("match", () => press(contactId), attributes, el("span", {}, ...inside), icon("check"));
  }

  function toRow(call, contact) {
    const label = el("span", { class: "choice-label" }, contact.name ?? call.number.display);
    const facts = el("span", { class: "choice-account" });
    setFacts(facts, matchFacts(contact));
    const link = contact.url && awayLink(contact.url, "Desk", contact.name ?? "");
    return el("li", {}, toButton(call, contact.id, label, " ", facts), link);
  }

  function toNobody(call) {
    return el("li", {}, toButton(call, NOBODY, el("span", { class: "choice-label" }, t("None of these"))));
  }

  function update(call) {
    current = call;
    const isList = call.contacts.length > 1 || (call.contacts.length === 1 && call.chosen === NOBODY);
    const isChosen = call.chosen === NOBODY || call.contacts.some((contact) => contact.id === call.chosen);
    const isKnown = call.contacts.length > 0 || call.accounts.length > 0;
    node.hidden = !isList;
    setText(legend, isChosen ? t("It is") : t("Who is it?"));
    redraw(list, [isList && call.contacts, call.chosen], () =>
      isList ? [...call.contacts.map((contact) => toRow(call, contact)), toNobody(call)] : [],
    );
    toggle.hidden = !isKnown && (call.pop === null || call.lookup === "pending");
    nobody.hidden = isList || !isKnown;
    setText(words, isKnown ? t("Someone else?") : t("Find who it is"));
    setText(unseen, isKnown ? ` ${t("not {who}", { who: whoOf(call) })}` : "");
    if (toggle.hidden && !finder.node.hidden) close();
    if (!hasOffered && call.pop?.now && call.pop.then === "search" && call.lookup !== "pending") {
      hasOffered = true;
      open({ takesFocus: false });
    }
  }

  finder.node.addEventListener("keydown", closeByKey);
  toggle.addEventListener("keydown", closeByKey);
  return { node, toggle, panel: finder.node, problem, open, update, isOpen: () => finder.node.contains(document.activeElement) };
}
