/** Edit a record of the card: only what was changed is sent, and what changed in Desk meanwhile is shown beside it. */

import { toConflict } from "./card_shape.js";
import { el } from "./dom.js";
import { createForm } from "./form.js";
import { t } from "./texts.js";

/**
 * Make the form of `record`, of the object "contacts" or "accounts".
 * `send({object, id, seen, changes})` saves it and answers the card; `done(card|null)` closes the form.
 */
export function createEditForm({ object, record, send, done }) {
  const editable = record.fields.filter((field) => field.isEditable);
  const seen = Object.fromEntries(editable.map((field) => [field.name, field.value]));
  let conflict = null;

  async function save(fields, form) {
    const { changes, known } = withoutTheirs(fields.changes(), seen, conflict);
    if (Object.keys(changes).length === 0) return done(null, conflict !== null);
    try {
      done(await send({ object, id: record.id, seen: known, changes }), false);
    } catch (error) {
      if (error.status !== 409 || error.reason !== "changed_meanwhile") throw error;
      conflict = createConflict((error.problem.conflicts ?? []).map(toConflict), editable);
      form.show(conflict.node);
      conflict.node.focus();
    }
    return undefined;
  }

  const title = t("Edit {name}", { name: record.name ?? t("(no name)") });
  return createForm({ title, fields: editable, saveWords: t("Save"), save, cancel: () => done(null, false) });
}

/** Leave out what the agent lets Desk keep; what is overwritten was seen as it is in Desk now. */
function withoutTheirs(changed, seen, conflict) {
  const changes = { ...changed };
  const now = { ...seen, ...(conflict?.theirs() ?? {}) };
  for (const name of conflict?.given() ?? []) delete changes[name];
  return { changes, known: Object.fromEntries(Object.keys(changes).map((name) => [name, now[name] ?? null])) };
}

let made = 0;

/** Show what was seen, what is in Desk now and what the agent wrote, side by side, with the choice between them. */
function createConflict(conflicts, fields) {
  const group = (made += 1);
  const rows = conflicts.map((one, at) => toRow(one, `conflict-${group}-${at}`, fields));
  const head = el("tr", {}, ...[t("Field"), t("You saw"), t("In Desk now"), t("Yours")].map((words) => el("th", { scope: "col" }, words)));
  const table = el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows.map((row) => row.node)));
  const words = t("Somebody changed this in Desk while you were writing. Nothing is saved yet: choose what stays, then save.");
  const attributes = { class: "conflict", role: "group", "aria-label": t("Changed in Desk meanwhile"), tabindex: "-1" };
  return {
    node: el("div", attributes, el("p", {}, words), table),
    theirs: () => Object.fromEntries(conflicts.map(({ name, theirs }) => [name, theirs])),
    given: () => rows.filter((row) => row.isTheirs()).map((row) => row.name),
  };
}

function toRow({ name, label, seen, theirs, yours }, id, fields) {
  const named = fields.find((field) => field.name === name)?.label ?? label;
  const keep = radio(id, "theirs", shown(theirs), true);
  const mine = radio(id, "yours", shown(yours), false);
  const cell = (heading, ...inside) => el("td", { "data-label": heading }, ...inside);
  const cells = [cell(t("You saw"), shown(seen)), cell(t("In Desk now"), keep.node), cell(t("Yours"), mine.node)];
  const node = el("tr", {}, el("th", { scope: "row" }, named), ...cells);
  keep.input.setAttribute("aria-label", t("{field}: keep what is in Desk, {value}", { field: named, value: shown(theirs) }));
  mine.input.setAttribute("aria-label", t("{field}: use mine, {value}", { field: named, value: shown(yours) }));
  return { name, node, isTheirs: () => keep.input.checked };
}

function radio(name, value, words, checked) {
  const input = el("input", { type: "radio", name, value, checked });
  return { input, node: el("label", { class: "tick" }, input, el("span", {}, words)) };
}

function shown(value) {
  if (Array.isArray(value)) return value.join(", ") || t("(nothing)");
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  return value === null || value === undefined || value === "" ? t("(nothing)") : String(value);
}
