/** Find a contact among all of Desk's, to say that it is the caller. */

import { el, pressable, redraw, setFacts, setText } from "./dom.js";
import { countWords, searchProblemWords } from "./search.js";
import { t } from "./texts.js";

const PAUSE_MS = 250;
const SHORTEST = 2;

/** Make the search with its results: `search(text, signal)` returns contacts, `pick(contact)` takes one. */
export function createFinder({ id, search, pick }) {
  const label = t("Find by number or name");
  const input = el("input", { type: "search", placeholder: label, "aria-label": label, maxlength: 250, spellcheck: "false" });
  const status = el("p", { role: "status" });
  const list = el("ul", { class: "found" });
  const node = el("div", { class: "finder", id, role: "group", "aria-label": t("Who is it?"), hidden: true }, input, status, list);
  let timer = null;
  let request = null;

  function draw(words, contacts) {
    setText(status, words);
    redraw(list, contacts, () => contacts.map(toRow));
  }

  function toRow(contact) {
    const facts = el("span", { class: "choice-account" });
    setFacts(facts, [contact.account, ...contact.phones].filter(Boolean));
    const name = el("span", { class: "choice-label" }, contact.name ?? t("(no name)"));
    const attributes = { "data-key": contact.id, "data-contact": contact.id };
    return el("li", {}, pressable("match", () => pick(contact), attributes, el("span", {}, name, " ", facts)));
  }

  async function run() {
    clearTimeout(timer);
    request?.abort();
    const text = input.value.trim();
    if (text.length < SHORTEST) return draw("", []);
    const mine = (request = new AbortController());
    try {
      const contacts = await search(text, mine.signal);
      if (!mine.signal.aborted) draw(countWords(contacts.length), contacts);
    } catch (error) {
      if (!mine.signal.aborted) draw(searchProblemWords(error), []);
    }
    return undefined;
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), run()));
  return {
    node,
    focus: () => input.focus(),
    clear() {
      clearTimeout(timer);
      request?.abort();
      input.value = "";
      draw("", []);
    },
  };
}
