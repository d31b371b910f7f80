/** Give a card, and a profile, the shape that the page relies on. Pure; never throws. */

import { list, moment, text, toAccount, toContact, toTicket } from "./shape.js";

export { toTicket };

const TYPES = ["short_text", "long_text", "number", "phone", "email", "url", "date", "date_time", "yes_no", "one_of", "several_of", "record"];
const TARGETS = ["contact", "account_contact", "newest_ticket", "new_ticket", "asked"];

function toOption(option) {
  if (option && typeof option === "object") {
    const value = text(option.value) ?? text(option.name);
    return value === null ? null : { value, label: text(option.label) ?? value };
  }
  return text(option) === null ? null : { value: option, label: option };
}

/** Return a field's value as its type has it: a text, true or false, or a list of texts. */
function toValue(type, value) {
  if (type === "yes_no") return value === true || value === "true";
  if (type === "several_of") return (Array.isArray(value) ? value : String(value ?? "").split(";")).map(String).filter(Boolean);
  return value === null || value === undefined || typeof value === "object" ? "" : String(value);
}

/** Return a field of a record, with what it may hold; null where it has no name. */
export function toField(field) {
  const name = text(field.name);
  if (name === null) return null;
  const type = TYPES.includes(field.type) ? field.type : "short_text";
  return {
    name,
    label: text(field.label) ?? name,
    type,
    value: toValue(type, field.value),
    isEditable: field.editable === true && type !== "record",
    isMandatory: field.mandatory === true,
    max: Number.isInteger(field.max) && field.max > 0 ? field.max : null,
    options: (Array.isArray(field.options) ? field.options : []).map(toOption).filter(Boolean),
  };
}

const toFields = (fields) => list(fields).map(toField).filter(Boolean);

function toRecord(record) {
  const known = toAccount(record);
  return known && { ...known, account: toAccount(record.account), fields: toFields(record.fields) };
}

function toLastCall({ key, at, direction, result, agent, talk_seconds: seconds }) {
  const call = { key: text(key), at: moment(at), direction: text(direction) ?? "inbound" };
  return { ...call, result: text(result), agent: text(agent), talkSeconds: moment(seconds) };
}

/** Return a card in full, whatever came. */
export function toCard(card) {
  const target = card?.assigned?.target;
  return {
    contact: toRecord(card?.contact),
    account: toRecord(card?.account),
    tickets: Array.isArray(card?.tickets) ? list(card.tickets).map(toTicket) : null,
    calls: list(card?.calls).map(toLastCall),
    callsThisWeek: moment(card?.calls_this_week) ?? 0,
    people: list(card?.people).map(toContact),
    newFields: card?.new && typeof card.new === "object" ? toFields(card.new.fields) : null,
    // null says that this agent makes none; a connector that does not say leaves it to the usual fields.
    ticketFields: card?.new_ticket === null ? null : toFields(card?.new_ticket?.fields),
    assigned: {
      target: TARGETS.includes(target) ? target : "contact",
      ticketId: card?.assigned?.ticket_id == null ? null : String(card.assigned.ticket_id),
    },
    problem: text(card?.problem),
  };
}

/** Return one field of which Desk has another value than was seen, with the three values. */
export function toConflict({ name, label, seen, theirs, yours }) {
  return { name: String(name ?? ""), label: text(label) ?? String(name ?? ""), seen, theirs, yours };
}

/** Return which profiles the agent has, and the one in use; ids may be null for everyone's. */
export function toProfiles(told) {
  const toProfile = ({ id, name }) => ({ id: id ?? null, name: text(name) ?? "(no name)" });
  const active = told?.active && typeof told.active === "object" ? toProfile(told.active) : null;
  return { active, profiles: list(told?.profiles).map(toProfile) };
}

