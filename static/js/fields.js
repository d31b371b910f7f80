/** Inputs for a record's fields, as their types, limits, options and duties want them. */

import { el, setText } from "./dom.js";
import { t } from "./texts.js";

const INPUTS = {
  number: { type: "text", inputmode: "decimal" },
  phone: { type: "tel" },
  email: { type: "email" },
  url: { type: "url", inputmode: "url" },
  date: { type: "date" },
  date_time: { type: "datetime-local" },
};

let made = 0;

/**
 * Make the inputs of `fields`: `{node, values(), changes(), isDirty(), check(), fail(name, words), focus()}`.
 * `values()` are all that say something, `changes()` those that differ from what was seen, both by name.
 * `check()` says at each field what is wrong and returns whether nothing is.
 */
export function createFields(fields) {
  const rows = fields.map((field) => createField(field));
  const node = el("div", { class: "fields" }, ...rows.map((row) => row.node));
  const isSame = (row) => JSON.stringify(row.read()) === JSON.stringify(row.field.value);
  const byName = (chosen) => Object.fromEntries(chosen.map((row) => [row.field.name, row.read()]));
  const isSaid = (row) => row.read() !== "" && row.read() !== false && row.read().length !== 0;
  return {
    node,
    values: () => byName(rows.filter(isSaid)),
    changes: () => byName(rows.filter((row) => !isSame(row))),
    isDirty: () => rows.some((row) => !isSame(row)),
    check() {
      for (const row of rows) row.say(row.wrong());
      rows.find((row) => row.isWrong())?.focus();
      return !rows.some((row) => row.isWrong());
    },
    fail(name, words) {
      const row = rows.find((one) => one.field.name === name);
      row?.say(words);
      row?.focus();
      return row !== undefined;
    },
    focus: () => rows[0]?.focus(),
  };
}

function createField(field) {
  const id = `field-${(made += 1)}`;
  const control = field.type === "several_of" ? ticks(field, id) : single(field, id);
  const error = el("p", { class: "error", id: `${id}-error` });
  const must = field.isMandatory ? el("span", { class: "must" }, ` ${t("(needed)")}`) : null;
  const label = control.isGroup ? el("legend", {}, field.label, must) : el("label", { for: id }, field.label, must);
  const node = el(control.isGroup ? "fieldset" : "div", { class: "field" }, label, control.node, error);
  const inputs = () => (control.node.matches("input, select, textarea") ? [control.node] : control.node.querySelectorAll("input"));

  function say(words) {
    setText(error, words);
    node.classList.toggle("wrong", words !== "");
    for (const input of inputs()) {
      if (words === "") input.removeAttribute("aria-invalid");
      else input.setAttribute("aria-invalid", "true");
    }
  }

  function wrong() {
    const value = control.read();
    if (field.isMandatory && (value === "" || value.length === 0)) return t("Fill this in.");
    if (control.node.validity?.badInput || control.node.validity?.typeMismatch) return t("This cannot be read. Check it.");
    if (field.max !== null && value.length > field.max) return t("At most {max} characters.", field);
    return "";
  }

  for (const input of inputs()) input.setAttribute("aria-describedby", error.id);
  return {
    field,
    node,
    say,
    wrong,
    read: control.read,
    isWrong: () => error.textContent !== "",
    focus: () => inputs()[0]?.focus(),
  };
}

function single(field, id) {
  const must = field.isMandatory ? "true" : null;
  if (field.type === "yes_no") {
    const node = el("input", { type: "checkbox", id, checked: field.value === true });
    return { node, read: () => node.checked };
  }
  const attributes = { id, "aria-required": must, maxlength: field.max, autocomplete: "off" };
  const node = field.type === "one_of" && field.options.length > 0 ? select(field, id, must) : input(field, attributes);
  const shown = node.value;
  // What the input shows otherwise than Desk tells it is no change.
  return { node, read: () => (node.value === shown ? field.value : node.value.trim()) };
}

function input(field, attributes) {
  const isLong = field.type === "long_text";
  const node = isLong ? el("textarea", { ...attributes, rows: 3 }) : el("input", { ...attributes, ...(INPUTS[field.type] ?? { type: "text" }) });
  node.value = field.type === "date_time" ? localMoment(field.value) : field.value;
  return node;
}

/** Return a moment as the input of moments takes it; what is none stays as it is. */
function localMoment(value) {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value) ? value.slice(0, 16) : value;
}

function select(field, id, must) {
  // A value that Desk no longer offers is kept as long as nobody changes it.
  const known = field.options.some((option) => option.value === field.value);
  const extra = field.value === "" || known ? [] : [{ value: field.value, label: field.value }];
  const options = [{ value: "", label: t("(nothing)") }, ...extra, ...field.options];
  const node = el("select", { id, "aria-required": must }, ...options.map(({ value, label }) => el("option", { value }, label)));
  node.value = field.value;
  return node;
}

function ticks(field, id) {
  const boxes = field.options.map(({ value, label }, at) => {
    const box = el("input", { type: "checkbox", id: `${id}-${at}`, value, checked: field.value.includes(value) });
    return { box, row: el("label", { class: "tick", for: `${id}-${at}` }, box, label) };
  });
  const node = el("div", { class: "ticks" }, ...boxes.map(({ row }) => row));
  const ticked = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
  return { node, isGroup: true, read: () => (sameSet(ticked(), field.value) ? field.value : ticked()) };
}

const sameSet = (some, others) => some.length === others.length && some.every((one) => others.includes(one));
