/** Draw the parts of a card: the contact with its account, open tickets, last calls, people of the account. */

import { dialler } from "./dial.js";
import { dayWords, lastCallFacts, ticketFacts } from "./card_words.js";
import { awayLink, el, pressable, redraw, setFacts, setText } from "./dom.js";
import { telUrl } from "./shape.js";
import { at } from "./site.js";
import { t } from "./texts.js";
import { accountOf, contactOf, lookupWords, whoOf } from "./words.js";

/** Fields of which the first rows of a contact speak already. */
const NAMES = ["firstName", "lastName", "accountName", "accountId"];

const MINUTE = 60_000;

function title(part, words, { short = words, count = null } = {}) {
  const counted = (name) => (count === null ? name : `${name} ${count}`);
  part.label = counted(short);
  setText(part.heading, counted(words));
}

/** Draw who it is: the fields of the profile, with the account's; what is known without a card while there is none. */
export function drawContact(part, { call, entry, hands }) {
  const { card } = entry;
  const [contact, account] = [card?.contact ?? contactOf(call), card?.account ?? accountOf(call)];
  title(part, contact === null && account !== null ? t("Account") : t("Contact"));
  redraw(part.links, [contact, account, call.may, card?.newFields != null], () => contactLinks(call, contact, account, { card, hands }));
  const waits = entry.isLoading || (call.lookup === "pending" && card === null);
  redraw(part.body, [contact, account, waits, entry.problem, card?.problem, lookupWords(call), hands.dials(), call.may], () => [
    ...problemOf(entry, hands),
    ...(contact ? [toList(contact, call, hands)] : []),
    ...(contact === null && account === null ? [el("p", { class: "quiet" }, unknownWords(call, card))] : []),
    ...(account?.fields?.length || contact === null ? accountPart(account, contact, call, hands) : []),
  ]);
}

function unknownWords(call, card) {
  if (card === null) return t("Looking in Desk…");
  if (call.contacts.length > 1) return t("Say who it is, and their card shows here.");
  return card.newFields ? t("Nobody is known by this number: make the contact, or find who it is.") : lookupWords(call);
}

function contactLinks(call, contact, account, { card, hands }) {
  const who = whoOf(call);
  const canEdit = (record) => call.may.edit && record?.fields?.some((field) => field.isEditable);
  const main = contact ?? account;
  const opens = contact ? t("Open contact in Desk") : t("Open account in Desk");
  return [
    canEdit(main) && pressable("plain", () => hands.edit(contact ? "contacts" : "accounts"), { "data-key": "edit" }, t("Edit")),
    main?.url && awayLink(main.url, opens, who),
    main === null && call.may.create && card?.newFields && pressable("act", () => hands.create(), { "data-key": "new" }, t("New contact")),
  ].filter(Boolean);
}

function problemOf({ problem, card }, hands) {
  if (problem === "lost") {
    const again = pressable("plain", hands.again, { "data-key": "again" }, t("Ask again"));
    return [el("p", { class: "quiet" }, t("The card did not come; below is what is known without it."), " ", again)];
  }
  if (card?.problem) return [el("p", { class: "quiet" }, problemWords(card.problem))];
  return [];
}

function problemWords(reason) {
  if (reason === "grant_lost") return t("Desk has to be linked again by an administrator; below is what was known before.");
  if (["credits_exhausted", "credits_kept", "caller_credits"].includes(reason)) {
    return t("Desk's credits of today are used up; below is what was known before.");
  }
  return t("Desk did not answer; below is what was known before.");
}

/** Return a contact's rows: name, account, then each field that says something. */
function toList(contact, call, hands) {
  const account = contact.account && typeof contact.account === "object" ? contact.account : { name: contact.account, url: null };
  const fields = (contact.fields ?? []).filter((field) => !NAMES.includes(field.name));
  return rowsOf([
    [t("Name"), contact.name ?? call.number.display],
    account.name && [t("Account"), account.url ? awayLink(account.url, account.name) : account.name],
    ...fields.map((field) => [field.label, shown(field, contact, hands)]),
  ]);
}

function accountPart(account, contact, call, hands) {
  if (account === null) return [];
  const fields = (account.fields ?? []).map((field) => [field.label, shown(field, null, hands)]);
  if (contact === null) return [rowsOf([[t("Name"), account.name ?? t("(no name)")], ...fields])];
  const canEdit = call.may.edit && account.fields.some((field) => field.isEditable);
  const edit = canEdit && pressable("plain", () => hands.edit("accounts"), { "data-key": "edit-account" }, t("Edit account"));
  return [el("div", { class: "part-top inner" }, el("h4", {}, t("Account")), el("p", { class: "part-links" }, edit || "")), rowsOf(fields)];
}

function rowsOf(rows) {
  const said = rows.filter((row) => row && row[1]);
  return el("dl", { class: "card-fields" }, ...said.map(([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value))));
}

/** Return a field's value as what it is: a number to call, an address to write to, a page, words. */
function shown({ type, value, options }, contact, hands) {
  if (type === "yes_no") return value ? t("yes") : t("no");
  if (type === "several_of") return value.map((one) => optionWords(options, one)).join(", ");
  if (value === "") return "";
  if (type === "phone" && telUrl(value) !== null) return toNumber(value, contact, hands);
  if (type === "email" && /^[^\s@?&]+@[^\s@?&]+$/.test(value)) return el("a", { href: `mailto:${encodeURI(value)}` }, value);
  if (type === "url" && /^https?:\/\//.test(value) && URL.canParse(value)) return awayLink(new URL(value).href, value);
  return type === "one_of" ? optionWords(options, value) : value;
}

const optionWords = (options, value) => options.find((option) => option.value === value)?.label ?? value;

function toNumber(number, contact, hands) {
  const dial = (to) => hands.dial(to, { callId: hands.callId, contactId: contact?.id ?? null });
  const made = dialler(number, { label: number, context: contact?.name ?? "", dials: hands.dials(), dial });
  made.classList.add("inline");
  return made;
}

/** Draw the open tickets; where the rules ask to which one the call belongs, that is said. */
export function drawTickets(part, { call, entry, hands, now }) {
  const { card } = entry;
  const tickets = card?.tickets ?? call.tickets;
  // Desk is asked for the tickets of a contact, and a new one is a contact's as well.
  const isWanted = contactOf(call) !== null || (tickets?.length ?? 0) > 0;
  part.isThere = isWanted;
  title(part, t("Open tickets"), { short: t("Tickets"), count: tickets?.length || null });
  const assigned = card?.assigned ?? null;
  const isAsked = assigned?.target === "asked" && assigned.ticketId === null && (tickets?.length ?? 0) > 0;
  part.node.toggleAttribute("data-asked", isAsked);
  const canMake = call.may.ticket && card !== null && card.ticketFields !== null && isWanted;
  redraw(part.links, canMake, () => (canMake ? [pressable("plain", () => hands.ticket(), { "data-key": "ticket" }, t("New ticket"))] : []));
  redraw(part.body, [tickets, assigned, Math.floor(now / (60 * MINUTE)), part.isThere], () => [
    ...(isAsked ? [el("p", { class: "asked" }, t("Which ticket is this call about?"))] : []),
    toTickets(tickets, assigned, hands, now),
  ]);
}

function toTickets(tickets, assigned, hands, now) {
  if (!tickets?.length) return el("p", { class: "quiet" }, tickets === null ? t("Looking in Desk…") : t("None"));
  return el("ul", { class: "tickets" }, ...tickets.map((ticket) => toTicket(ticket, assigned, hands, now)));
}

function toTicket(ticket, assigned, hands, now) {
  const number = ticket.number ? `#${ticket.number} ` : "";
  const subject = awayLink(ticket.url, `${number}${ticket.subject ?? t("(no subject)")}`);
  const facts = el("span", { class: "ticket-status", "data-late": ticket.isEscalated });
  setFacts(facts, ticketFacts(ticket, now));
  const isIt = assigned?.ticketId === ticket.id;
  const attributes = { "aria-pressed": String(isIt), "data-key": `assign-${ticket.id}` };
  const words = isIt ? t("Assigned") : t("Assign call");
  const context = el("span", { class: "unseen" }, ` ${number}`);
  const button = assigned && pressable("act small", () => hands.assign(isIt ? null : ticket.id), attributes, words, context);
  return el("li", {}, subject, " ", facts, button && " ", button);
}

/** Draw the last calls with this caller. */
export function drawCalls(part, { entry, now }) {
  const calls = entry.card?.calls ?? [];
  part.isThere = calls.length > 0;
  title(part, t("Last calls"), { short: t("Calls") });
  redraw(part.body, [calls, dayWords(now, now).length, Math.floor(now / (60 * MINUTE))], () => [el("ul", { class: "last-calls" }, ...calls.map((call) => toLast(call, now)))]);
}

function toLast(call, now) {
  const facts = el("span", {});
  setFacts(facts, lastCallFacts(call, now));
  const side = el("span", { class: "quiet" }, call.direction === "outbound" ? t("outgoing") : t("incoming"));
  const link = call.key && el("a", { href: at(`/calls/${encodeURIComponent(call.key)}`), target: "_blank", rel: "noopener" }, facts);
  return el("li", {}, link || facts, " ", side);
}

/** Draw the other people of the account: any of them may be the caller. */
export function drawPeople(part, { call, entry, hands }) {
  const people = entry.card?.people ?? [];
  part.isThere = people.length > 0;
  title(part, t("People"));
  redraw(part.body, [people, call.id], () => [el("ul", { class: "people" }, ...people.map((one) => toPerson(one, hands)))]);
}

function toPerson(one, hands) {
  const name = one.name ?? t("(no name)");
  const pick = pressable("act small", () => hands.pick(one.id), { "data-key": `person-${one.id}` }, t("It is them"), el("span", { class: "unseen" }, ` ${name}`));
  return el("li", {}, awayLink(one.url, name), " ", pick);
}
