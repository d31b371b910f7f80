/** Let the agent call a number: by the phone system where it does that, by a tel: link where it does not. */

import { el, icon } from "./dom.js";
import { telUrl } from "./shape.js";
import { t } from "./texts.js";

/**
 * Make what calls `number` on a press, or null if it cannot be called at all.
 * `label` is what is read on it, `context` what a screen reader hears besides; `dial(number)` only where `dials`.
 */
export function dialler(number, { label, context = "", dials, dial }) {
  const url = telUrl(number);
  if (url === null) return null;
  const verb = label !== number ? null : el("span", { class: "unseen" }, `${t("Call")} `);
  const whom = context && el("span", { class: "unseen" }, ` ${context}`);
  const inside = [icon("over"), verb, label, whom || null];
  const attributes = { class: "dial", "data-number": number };
  if (!dials) return el("a", { ...attributes, href: url }, ...inside);
  const button = el("button", { ...attributes, type: "button" }, ...inside);
  button.addEventListener("click", () => dial(number));
  return button;
}
