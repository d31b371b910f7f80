/** Make what is not in Desk yet: a contact for an unknown caller, a ticket about the call. Never twice. */

import { el, pressable } from "./dom.js";
import { createForm } from "./form.js";
import { t } from "./texts.js";

/** Where the connector names no fields of a ticket: what every ticket has. */
const TICKET = [
  { name: "subject", label: t("Subject"), type: "short_text", value: "", isMandatory: true, max: 255, options: [] },
  { name: "description", label: t("Description"), type: "long_text", value: "", isMandatory: false, max: null, options: [] },
];

/**
 * Make a form whose save is one click however often it is sent: `send(fields, key)` answers null where it is not
 * known yet whether it was done. A refusal did nothing, so that the next click is another one.
 */
function createClickForm({ send, done, conflict, ...options }) {
  let key = crypto.randomUUID();

  async function save(fields, form) {
    try {
      done(await send(fields.values(), key));
    } catch (error) {
      if (error.status >= 400 && error.status < 500) key = crypto.randomUUID();
      if (!conflict?.(error, form)) throw error;
    }
  }

  return createForm({ ...options, save });
}

/** Make the form of a new contact; `choose(contact)` takes one that was made meanwhile by somebody else. */
export function createContactForm({ fields, send, done, cancel, choose }) {
  function conflict(error, form) {
    if (error.status !== 409 || error.reason !== "already_there") return false;
    const contacts = Array.isArray(error.problem.contacts) ? error.problem.contacts : [];
    const words = t("Desk has a contact with this number since. Nothing was made; is it one of these?");
    const buttons = contacts.map(({ id, name }) => pressable("act", () => choose(String(id)), {}, String(name ?? t("(no name)"))));
    form.show(el("p", { class: "problem", role: "alert" }, words), el("div", { class: "form-buttons" }, ...buttons));
    return true;
  }

  const definitions = fields.map((field) => ({ ...field, isEditable: true }));
  const options = { title: t("New contact"), saveWords: t("Make the contact"), fields: definitions, cancel };
  return createClickForm({ ...options, hint: t("It goes to Desk, and this call with it."), send, done, conflict });
}

/** Make the form of a new ticket about the call; the call is assigned to it. */
export function createTicketForm({ fields, send, done, cancel }) {
  const options = { title: t("New ticket"), saveWords: t("Make the ticket"), fields: fields.length > 0 ? fields : TICKET, cancel };
  return createClickForm({ ...options, hint: t("The call is assigned to it."), send, done });
}
