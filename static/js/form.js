/** A form on the card: its fields, what became of it in plain words, save and cancel; nothing written is lost. */

import { failureWords } from "./card_words.js";
import { el, pressable, setText } from "./dom.js";
import { createFields } from "./fields.js";
import { t } from "./texts.js";

/**
 * Make a form: `save(fields, form)` is awaited while its buttons rest; `cancel()` closes it.
 * A refusal is shown at the field that its pointer names, else above the buttons.
 * Returns `{node, isDirty(), focus(), say(words), show(...nodes), fields}`.
 */
export function createForm({ title, fields: definitions, saveWords, hint = "", save, cancel }) {
  const fields = createFields(definitions);
  const problem = el("p", { class: "problem", role: "alert" });
  const status = el("p", { class: "quiet", role: "status" });
  const extra = el("div", { class: "extra" });
  const submit = el("button", { type: "submit", class: "button" }, saveWords);
  const abandon = pressable("act", cancel, {}, t("Cancel"));
  const buttons = el("div", { class: "form-buttons" }, abandon, submit);
  const about = hint ? el("p", { class: "quiet" }, hint) : null;
  const heading = el("h3", { tabindex: "-1" }, title);
  const label = { class: "card-form", "aria-label": title, novalidate: true, autocomplete: "off" };
  const node = el("form", label, heading, about, fields.node, extra, problem, status, buttons);
  let isSaving = false;

  function refuse(error) {
    const { pointer, errors } = error.problem ?? {};
    const isList = Array.isArray(errors) && errors.length > 0;
    const told = (isList ? errors : [{ pointer }]).map((one) => ({ at: nameIn(one?.pointer), words: one?.detail ?? failureWords(error) }));
    const left = told.filter(({ at, words }) => !fields.fail(at, words));
    setText(problem, left.map(({ words }) => words).join(" "));
  }

  async function press(event) {
    event.preventDefault();
    if (isSaving || !fields.check()) return;
    isSaving = true;
    setText(problem, "");
    setText(status, t("Saving…"));
    submit.setAttribute("aria-disabled", "true");
    try {
      await save(fields, form);
    } catch (error) {
      refuse(error);
    } finally {
      isSaving = false;
      submit.removeAttribute("aria-disabled");
      setText(status, "");
    }
  }

  const form = {
    node,
    fields,
    isDirty: () => fields.isDirty() || extra.childElementCount > 0,
    focus: () => (definitions.length > 0 ? fields.focus() : heading.focus()),
    say: (words) => setText(problem, words),
    show: (...nodes) => extra.replaceChildren(...nodes),
  };
  node.addEventListener("submit", press);
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || form.isDirty()) return;
    event.stopPropagation();
    cancel();
  });
  return form;
}

/** Return the field that a JSON pointer such as "/changes/email" names. */
function nameIn(pointer) {
  const [name = ""] = String(pointer ?? "").split("/").slice(-1);
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}
