/** Keyboard shortcuts: one key each, never while something is written, never with a modifier; they can be turned off. */

import { el } from "./dom.js";
import { t } from "./texts.js";

const KEY = "connector.shortcuts";
const MODIFIERS = ["Control", "Alt", "AltGraph", "Meta"];
const WRITTEN_IN = "input, textarea, select, [contenteditable]:not([contenteditable=false])";

const SHORTCUTS = [
  ["/", t("Search")],
  ["j", t("Next call")],
  ["k", t("Call before")],
  ["c", t("Choose someone else")],
  ["e", t("Edit the card")],
  ["n", t("New contact")],
  ["t", t("New ticket")],
  ["Esc", t("Close what is open")],
  ["?", t("Show this list")],
];

/**
 * Make the shortcuts and their list in `dialog`, which `button` opens; `actions` by key answer false where there is
 * nothing to do, and then `say(sentence)` tells so.
 */
export function createShortcuts({ dialog, button }, actions, say) {
  const isOn = () => localStorage.getItem(KEY) !== "off";
  const tick = el("input", { type: "checkbox", id: "shortcuts-on", checked: isOn() });
  const rows = SHORTCUTS.map(([key, words]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, words)));
  const close = el("button", { class: "button" }, t("Close"));
  const label = el("label", { class: "tick", for: "shortcuts-on" }, tick, t("Use shortcuts in this browser"));
  const heading = el("h2", { id: "shortcuts-heading" }, t("Keyboard shortcuts"));
  dialog.append(el("form", { method: "dialog" }, heading, el("dl", {}, ...rows), label, close));

  function open() {
    tick.checked = isOn();
    dialog.showModal();
    close.focus();
  }

  function press(event) {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing || event.repeat || dialog.open) return;
    if (MODIFIERS.some((name) => event.getModifierState(name)) || target.closest?.(WRITTEN_IN)) return;
    if (!isOn() || !(key === "?" || Object.hasOwn(actions, key))) return;
    event.preventDefault();
    if (key === "?") open();
    else if (actions[key]() === false) say(t("There is nothing to do with {key} here.", { key }));
  }

  tick.addEventListener("change", () => localStorage.setItem(KEY, tick.checked ? "on" : "off"));
  button.addEventListener("click", open);
  document.addEventListener("keydown", press);
}
