/** Show the card beside a call: contact, account, tickets, last calls, people; and the forms that work on it. */

import { drawCalls, drawContact, drawPeople, drawTickets } from "./card_parts.js";
import { createEditForm } from "./edit_form.js";
import { el, pressable, redraw, setText } from "./dom.js";
import { createContactForm, createTicketForm } from "./new_forms.js";
import { t } from "./texts.js";
import { contactOf, whoOf } from "./words.js";

const PARTS = ["contact", "tickets", "calls", "people"];

/**
 * Make the card of a call: `{node, update(call, entry), isBusy(), edit(), create(), ticket()}`.
 * Where there is little room its parts are tabs. `actions` has `api`, `cards`, `choose`, `say`, `now`, `dial`,
 * and `rerender`, because what is no longer written on may go.
 */
export function createDetails(callId, actions) {
  const parts = Object.fromEntries(PARTS.map((name) => [name, createPart(name, callId)]));
  const tabs = createTabs(PARTS.map((name) => parts[name]));
  const panels = PARTS.map((name) => parts[name].node);
  const node = el("section", { class: "details", tabindex: "-1" }, tabs.node, ...panels);
  let call = null;
  let card = null;
  let form = null;
  let hasOffered = false;

  function open(part, made, { takesFocus = true } = {}) {
    close(false);
    form = { ...made, part };
    parts[part].form.replaceChildren(made.node);
    parts[part].node.toggleAttribute("data-writing", true);
    tabs.show(parts[part]);
    if (takesFocus) made.focus();
  }

  function close(takesFocus = true) {
    if (form === null) return;
    const { part, node: old } = form;
    const hadFocus = old.contains(document.activeElement);
    form = null;
    parts[part].form.replaceChildren();
    parts[part].node.toggleAttribute("data-writing", false);
    if (takesFocus && hadFocus) parts[part].node.querySelector("button, a")?.focus();
    if (takesFocus) actions.rerender();
  }

  /** Take what a form came to: the card as it is now, or null where it is not known yet. */
  function take(answer, whom) {
    close();
    if (answer !== null) actions.cards.put(callId, answer, whom);
  }

  function edit(object = card?.contact ? "contacts" : "accounts") {
    const record = object === "contacts" ? card?.contact : card?.account;
    if (!record?.fields.some((field) => field.isEditable) || !call.may.edit) return false;
    if (form?.record === record.id) return form.focus();
    const done = (answer, isOld) => {
      take(answer);
      if (answer !== null) actions.say(t("Saved."));
      if (isOld) actions.cards.again(callId);
    };
    const send = (change) => actions.api.saveCard(callId, change);
    return open("contact", { ...createEditForm({ object, record, send, done }), record: record.id });
  }

  function create(options) {
    if (!call.may.create || !card?.newFields || contactOf(call) !== null) return false;
    if (form?.isNew) return form.focus();
    const send = (fields, key) => actions.api.createRecord(callId, { object: "contacts", fields, key });
    const done = (answer) => {
      take(answer);
      tell("contact", answer === null ? t("Desk has not answered. It is found out whether the contact was made; it is never made twice, and the call is logged on it.") : "");
      if (answer !== null) actions.say(t("The contact is made."));
    };
    const choose = (id) => actions.choose(callId, id).then(() => close());
    const made = createContactForm({ fields: card.newFields, send, done, cancel: () => close(), choose });
    return open("contact", { ...made, isNew: true }, options);
  }

  function ticket() {
    if (!call.may.ticket || !card?.ticketFields || !parts.tickets.isThere) return false;
    if (form?.isTicket) return form.focus();
    const send = (fields, key) => actions.api.createTicket(callId, { fields, key });
    const done = (made) => {
      close();
      tell("tickets", made === null ? t("Desk has not answered. It is found out whether the ticket was made; it is never made twice.") : "");
      if (made === null) return;
      actions.say(t("Ticket #{number} is made.", { number: made.number ?? made.id }));
      const tickets = [made, ...(card.tickets ?? [])];
      actions.cards.put(callId, { ...card, tickets, assigned: { target: "new_ticket", ticketId: made.id } });
    };
    return open("tickets", { ...createTicketForm({ fields: card.ticketFields, send, done, cancel: () => close() }), isTicket: true });
  }

  async function assign(ticketId) {
    try {
      await actions.api.assignTicket(callId, ticketId);
      tell("tickets", "");
      actions.cards.put(callId, { ...card, assigned: { ...card.assigned, ticketId } });
    } catch {
      tell("tickets", t("The call could not be assigned: the connector did not answer, or refused. Try again."));
    }
  }

  async function pick(contactId) {
    try {
      await actions.choose(callId, contactId);
      tell("people", "");
    } catch {
      tell("people", t("Your choice did not reach the connector. Try again."));
    }
  }

  const tell = (part, words) => setText(parts[part].notice, words);
  const hands = { ...actions, callId, edit, create, ticket, assign, pick, again: () => actions.cards.again(callId) };

  function update(shown, entry) {
    call = shown;
    card = entry.card;
    node.setAttribute("aria-label", t("Card of {who}", { who: whoOf(call) }));
    const known = { call, entry, hands, now: actions.now() };
    drawContact(parts.contact, known);
    drawTickets(parts.tickets, known);
    drawCalls(parts.calls, known);
    drawPeople(parts.people, known);
    tabs.update();
    if (hasOffered || !call.pop?.now || call.pop.then !== "new_card" || !card?.newFields) return;
    hasOffered = true;
    create({ takesFocus: false });
  }

  // What is written may be a whole form, or one of which only a word is there.
  const isBusy = () => form !== null && (form.isDirty() || form.node.contains(document.activeElement));
  return { node, update, edit, create, ticket, isBusy, hasForm: () => form !== null, focus: () => node.focus() };
}

/** Make one part of the card: `body` is drawn by others, `form` stands in its place while it is written in. */
function createPart(name, callId) {
  const heading = el("h3", { id: `${name}-${callId}` });
  const links = el("p", { class: "part-links" });
  const head = el("div", { class: "part-top" }, heading, links);
  const notice = el("p", { class: "notice-line", role: "status" });
  const [body, form] = [el("div", { class: "part-body" }), el("div", { class: "part-form" })];
  const attributes = { class: "part", "data-part": name, id: `part-${name}-${callId}`, "aria-labelledby": heading.id };
  const node = el("section", attributes, head, notice, body, form);
  return { name, node, heading, links, notice, body, form, label: "", isThere: true };
}

/** Make the tabs by which one part at a time is shown where there is little room. */
function createTabs(parts) {
  const node = el("div", { class: "part-tabs", role: "tablist" });
  let current = parts[0];

  function show(part, takesFocus = false) {
    current = part;
    update();
    if (takesFocus) node.querySelector("[aria-selected=true]")?.focus();
  }

  function move(event) {
    const there = parts.filter((part) => part.isThere);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(there[(there.indexOf(current) + step + there.length) % there.length], true);
  }

  function toTab(part) {
    const isCurrent = part === current;
    const attributes = { role: "tab", "aria-selected": String(isCurrent), "aria-controls": part.node.id, "data-key": part.name };
    return pressable("part-tab", () => show(part), { ...attributes, tabindex: isCurrent ? "0" : "-1" }, part.label);
  }

  function update() {
    const there = parts.filter((part) => part.isThere);
    if (!there.includes(current)) current = there[0] ?? parts[0];
    redraw(node, [current.name, there.map((part) => part.label)], () => there.map(toTab));
    for (const part of parts) {
      part.node.hidden = !part.isThere;
      part.node.toggleAttribute("data-current", part === current);
    }
  }

  node.addEventListener("keydown", move);
  return { node, show, update };
}

