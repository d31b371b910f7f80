/** Search contacts by number or name while the agent types. */

import { dialler } from "./dial.js";
import { telUrl } from "./shape.js";
import { awayLink, el, marked, redraw, setFacts } from "./dom.js";
import { n, t } from "./texts.js";

const PAUSE_MS = 250;
const SHORTEST = 2;
const SPENT = ["caller_credits", "credits_kept", "credits_exhausted"];
const NUMBER = /^[+(]?[0-9][0-9 ().\-/]*$/;
const AMONG_WORDS = /\+[0-9(][0-9 ().\-/]{6,}|(?<![0-9.\-/])\(?0[0-9 ().\-/]{7,}/;

/**
 * Make the search work on its `{form, input, panel, status, list}`; `search(text, signal)` returns contacts.
 * What is typed can be called if it is a number, and so can each number found: `dials()`, `dial(number)`.
 */
export function createSearch({ form, input, panel, status, list }, search, actions) {
  let timer = null;
  let request = null;

  function close() {
    clearTimeout(timer);
    request?.abort();
    draw(false, "");
  }

  function draw(open, words, rows = []) {
    // The status stays in the page while the panel is closed: a live region must be there before it speaks.
    panel.toggleAttribute("data-open", open);
    input.setAttribute("aria-expanded", String(open));
    panel.setAttribute("role", open ? "dialog" : "group");
    list.replaceChildren(...rows);
    redraw(status, words, () => marked(words));
  }

  async function run() {
    clearTimeout(timer);
    request?.abort();
    const text = input.value.trim();
    if (text.length < SHORTEST) return close();
    const mine = (request = new AbortController());
    try {
      const contacts = await search(text, mine.signal);
      if (!mine.signal.aborted) draw(true, countWords(contacts.length), [...typedRow(text), ...contacts.map(toRow)]);
    } catch (error) {
      if (!mine.signal.aborted) draw(true, searchProblemWords(error), typedRow(text));
    }
    return undefined;
  }

  function toDialler(number, label, context, contactId = null) {
    const dial = (chosen) => {
      close();
      input.focus();
      actions.dial(chosen, { contactId });
    };
    return dialler(number, { label, context, dials: actions.dials(), dial });
  }

  function typedRow(text) {
    const number = NUMBER.test(text) ? text : AMONG_WORDS.exec(text)?.[0].replace(/[^0-9]+$/, "");
    if (!number || telUrl(number) === null) return [];
    return [el("li", { class: "result-typed" }, toDialler(number, t("Call {number}", { number }), ""))];
  }

  function toRow(contact) {
    const name = contact.name ?? contact.phones[0] ?? t("(no name)");
    const detail = el("span", { class: "result-detail" });
    setFacts(detail, [contact.account].filter(Boolean));
    const numbers = contact.phones.map((phone) => toDialler(phone, phone === name ? t("Call") : phone, name, contact.id));
    const shown = numbers.filter(Boolean).flatMap((number) => [number, " "]);
    const calls = shown.length ? el("span", { class: "result-calls" }, ...shown) : null;
    return el("li", {}, awayLink(contact.url, name), " ", detail, " ", calls);
  }

  function typed() {
    clearTimeout(timer);
    if (input.value.trim().length < SHORTEST) close();
    else timer = setTimeout(run, PAUSE_MS);
  }

  function move(event) {
    const stops = [input, ...list.querySelectorAll("a, button")];
    const at = stops.indexOf(document.activeElement);
    const targets = { ArrowDown: Math.min(at + 1, stops.length - 1), ArrowUp: Math.max(at - 1, 0) };
    if (event.key === "Escape") {
      if (panel.hasAttribute("data-open")) event.stopPropagation();
      close();
      input.focus();
    } else if (event.key in targets && panel.hasAttribute("data-open")) {
      event.preventDefault();
      stops[targets[event.key]].focus();
    }
  }

  input.addEventListener("input", typed);
  input.addEventListener("click", () => panel.hasAttribute("data-open") || typed());
  form.addEventListener("keydown", move);
  form.addEventListener("submit", (event) => (event.preventDefault(), run()));
  form.addEventListener("focusout", (event) => !form.contains(event.relatedTarget) && close());
  return { close };
}

/** Return how many contacts were found. */
export function countWords(count) {
  return count === 0 ? t("No contact found") : n("{count} contact", "{count} contacts", count);
}

/** Return why a search came to nothing. */
export function searchProblemWords({ status, reason, detail }) {
  if (SPENT.includes(reason) && detail !== null) return detail;
  if (status === 429) return t("Too many searches at once. Wait a moment and try again.");
  return t("The search got no answer. Try again.");
}
