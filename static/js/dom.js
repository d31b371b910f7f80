/** Helpers for the DOM. Text goes in as text, addresses only if they were checked. */

import { t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";

const HANDSET = "M7 3.5 9 8 6.8 9.7a13 13 0 0 0 7.5 7.5L16 15l4.5 2-.6 2.6c-.2.8-.9 1.4-1.8 1.4A15.2 15.2 0 0 1 3 5.9c0-.9.6-1.6 1.4-1.8Z";
const ICONS = {
  ringing: [HANDSET, "M14 3.5a6.5 6.5 0 0 1 6.5 6.5", "M14 7.5a2.5 2.5 0 0 1 2.5 2.5"],
  dialling: [HANDSET, "M14.5 9.5 20.5 3.5M15.5 3.5h5v5"],
  talking: [HANDSET, "M14 6h6.5M14 10h6.5"],
  elsewhere: [HANDSET, "M14 7.5l2.5 2.5 4.5-5.5"],
  missed: [HANDSET, "M14.5 4l6 6M20.5 4l-6 6"],
  unanswered: [HANDSET, "M14.5 4l6 6M20.5 4l-6 6"],
  over: [HANDSET],
  withdrawn: [HANDSET],
  hangup: ["M3.5 14.5c0-1 .4-1.9 1.2-2.5a12 12 0 0 1 14.6 0c.8.6 1.2 1.5 1.2 2.5v1.2c0 .6-.5 1-1.1.9l-3.2-.7a1 1 0 0 1-.8-1V13a9.5 9.5 0 0 0-6.8 0v1.9a1 1 0 0 1-.8 1l-3.2.7a1 1 0 0 1-1.1-.9Z"],
  handover: ["M4 12h15M13.5 6.5 19 12l-5.5 5.5"],
  away: ["M9 5H5.5A1.5 1.5 0 0 0 4 6.5v12A1.5 1.5 0 0 0 5.5 20h12a1.5 1.5 0 0 0 1.5-1.5V15", "M13 4h7v7M20 4l-9.5 9.5"],
  close: ["M6 6l12 12M18 6 6 18"],
  search: ["M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13", "M15.5 15.5 20.5 20.5"],
  card: ["M4 5.5h16v13H4Z", "M13.5 10h4M13.5 14h4M6.5 15.5c.5-1.5 1.500-2 2.500-2s2 .5 2.500 2", "M9 8.500a1.500 1.500 0 1 1 0 3 1.500 1.500 0 0 1 0-3"],
  plus: ["M12 5v14M5 12h14"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
};

/** Make an element: `el("p", {class: "x"}, "text", child)`. Properties are attributes; null ones are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Make one of the page's own icons, hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** Make a link that opens a new tab; `url` is a checked address, and null makes plain text of it. */
export function awayLink(url, label, context = "") {
  if (url === null) return el("span", {}, label);
  const unseen = el("span", { class: "unseen" }, ` ${context} ${t("(new tab)")}`);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label, unseen, icon("away"));
}

/** Set the text of `node` only if it differs, so that nothing is announced or painted twice. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Return a sentence as nodes: what stands between backticks in it is what can be typed. */
export function marked(text) {
  const parts = String(text).split("`");
  if (parts.length % 2 === 0) return [text];
  return parts.map((part, at) => (at % 2 === 1 ? el("code", {}, part) : part));
}

/**
 * Replace the children of `node` with `make()` only when `value` is not what was drawn last.
 * What had the focus and has a `data-key` has it again, if it is still there.
 */
export function redraw(node, value, make) {
  const key = JSON.stringify(value);
  if (node.drawn === key) return;
  node.drawn = key;
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  node.replaceChildren(...make());
  if (focused !== undefined) node.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** Make a button of a kind, such as "act"; `press` is called with the event. */
export function pressable(kind, press, attributes, ...children) {
  const button = el("button", { type: "button", class: kind, ...attributes }, ...children);
  button.addEventListener("click", press);
  return button;
}

/** Put `node` at the end of `parent` without losing what is selected and focused in it. */
export function moveTo(parent, node) {
  if (node.parentNode === parent) return;
  const focused = node.contains(document.activeElement) ? document.activeElement : null;
  const selected = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
  parent.append(node);
  if (focused === null) return;
  focused.focus({ preventScroll: true });
  if (selected !== null && selected[0] !== null) focused.setSelectionRange(...selected);
}

/** Show short facts on one line; the line breaks between facts before it breaks one. The dots are the style's. */
export function setFacts(node, facts) {
  node.classList.add("facts");
  redraw(node, facts, () => facts.flatMap((fact) => [el("span", {}, fact), " "]));
}

/**
 * Make the children of `list` follow `items` by id: `make(item)` returns `{node, update(item)}`.
 * Nodes that stay are updated and kept in place, so the focus survives.
 */
export function keyed(list, items, make) {
  const before = list.rows ?? new Map();
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  list.rows = new Map(items.map((item) => [item.id, before.get(item.id) ?? make(item)]));
  for (const [id, row] of before) if (!list.rows.has(id)) row.node.remove();
  items.forEach((item, at) => {
    const { node, update } = list.rows.get(item.id);
    update(item);
    if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
  });
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}
