/** Show one open call: who, which line, since when, the contact and its open tickets. */

import { createChoice } from "./choice.js";
import { createControls } from "./controls.js";
import { awayLink, el, icon, redraw, setFacts, setText } from "./dom.js";
import { contactOf, detailFacts, lineFacts, phaseOf, phaseWords, whoOf } from "./words.js";

/** Make the card of an open call: `{node, update(call)}`; every line has its place before it has its text. */
export function createCard(first, actions) {
  const headline = `who-${first.id}`;
  const slots = {
    icon: el("span", { class: "call-icon" }),
    phase: el("span", { class: "call-phase" }),
    timer: el("span", { class: "timer", role: "timer" }),
    line: el("p", { class: "call-line" }),
    who: el("h2", { class: "call-who", id: headline, tabindex: "-1" }),
    detail: el("p", { class: "call-detail" }),
    link: el("p", { class: "call-link" }),
    tickets: el("section", { class: "tickets" }),
  };
  const choice = createChoice(actions.choose);
  const controls = createControls(first, actions);
  const state = el("p", { class: "call-state" }, slots.icon, slots.phase, slots.timer);
  const identity = el("div", { class: "call-identity" }, slots.who, slots.detail, slots.link);
  // Who it is comes before what can be done with the call, on the page as on the keyboard's way through it.
  const body = el("div", { class: "call-body" }, identity, choice.node, controls.node, slots.tickets);
  const top = el("header", { class: "call-top" }, state, slots.line);
  const card = el("article", { class: "call", "aria-labelledby": headline }, top, body);
  const node = el("li", {}, card);

  function update(call) {
    Object.assign(card.dataset, { phase: phaseOf(call), lookup: call.lookup, call: call.id });
    const since = call.state === "ringing" ? call.startedAt : call.answeredAt;
    slots.timer.dataset.since = since ?? "";
    slots.timer.hidden = since === null;
    redraw(slots.icon, phaseOf(call), () => [icon(phaseOf(call))]);
    setText(slots.phase, phaseWords(call));
    setFacts(slots.line, lineFacts(call));
    updateIdentity(slots, call);
    choice.update(call);
    controls.update(call);
    updateTickets(slots.tickets, call);
  }

  return { node, update };
}

function updateIdentity(slots, call) {
  const contact = contactOf(call);
  setText(slots.who, whoOf(call));
  setFacts(slots.detail, detailFacts(call));
  redraw(slots.link, contact?.url ?? null, () =>
    contact?.url ? [awayLink(contact.url, "Open contact in Desk", whoOf(call))] : [],
  );
}

function updateTickets(section, call) {
  const contact = contactOf(call);
  section.hidden = contact === null;
  redraw(section, [contact !== null, call.tickets], () => (contact ? drawTickets(call.tickets) : []));
}

function drawTickets(tickets) {
  const empty = tickets === null ? "Looking in Desk…" : "None";
  const list = tickets?.length ? el("ul", {}, ...tickets.map(toTicket)) : el("p", {}, empty);
  return [el("h3", {}, "Open tickets"), list];
}

function toTicket(ticket) {
  const number = ticket.number && el("span", { class: "ticket-number" }, `#${ticket.number}`);
  const subject = awayLink(ticket.url, ticket.subject ?? "(no subject)");
  subject.title = ticket.subject ?? "";
  const status = ticket.status && el("span", { class: "ticket-status" }, ticket.status);
  return el("li", {}, number, subject, status);
}
