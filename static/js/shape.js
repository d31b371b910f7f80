/** Give what arrives from outside the shape that the page relies on. Pure; never throws. */

const STATES = ["ringing", "answered", "ended"];
const LOOKUPS = ["pending", "found", "none", "failed", "skipped"];
const RECORDS = ["none", "waiting", "written", "failed"];
const ACTIONS = ["hang_up", "transfer"];
const MISSING = ["portal", "phone_system"];
const KINDS = ["e164", "extension", "withheld", "address", "unreadable"];
const THEN = ["nothing", "new_card", "search", "card", "card_and_open", "open", "choose"];

/** Return a text that says something, else null. */
export const text = (value) => (typeof value === "string" && value.trim() ? value : null);

/** Return a moment, or a number of anything else, else null. */
export const moment = (value) => (Number.isFinite(value) ? value : null);

/** Return the objects of a list; of anything else none. */
export const list = (value) => (Array.isArray(value) ? value.filter((item) => item && typeof item === "object") : []);

const names = (value) => (Array.isArray(value) ? value.map(text).filter(Boolean) : []);
const oneOf = (values, value, otherwise) => (values.includes(value) ? value : otherwise);

/** Return `url` if it is an absolute http or https address, else null: nothing else becomes a link. */
export function safeUrl(url) {
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : null;
  return parsed && ["http:", "https:"].includes(parsed.protocol) ? parsed.href : null;
}

/** Return the tel: address of the first number in what somebody typed, or null if there is none to dial. */
export function telUrl(number) {
  const [first] = String(number ?? "").split(/\s\/\s|[;,]/);
  const run = /[(+]{0,2}[0-9*#][0-9*# ().\-/]*/.exec(first)?.[0] ?? "";
  const abroad = run.includes("+") ? run.replace("(0)", "") : run;
  const digits = abroad.replace(/[^0-9*#+]/g, "");
  return /^\+?[0-9*#]{2,20}$/.test(digits) ? `tel:${digits.replace(/#/g, "%23")}` : null;
}

/** Return a colleague to whom a call can be handed over. */
export function toColleague(one) {
  return { name: text(one?.name) ?? "(no name)", telephone: String(one?.telephone ?? ""), busy: one?.busy === true };
}

/** Return a contact as the page shows it, address checked; with what helps to choose it, where that is known. */
export function toContact({ id, name, account, url, phone, mobile, open_tickets: open, last_at: last, modified_at: modified }) {
  return {
    openTickets: Number.isInteger(open) ? open : null,
    lastAt: moment(last),
    modifiedAt: modified ? moment(modified) : null,
    id: String(id ?? ""),
    name: text(name),
    account: text(account),
    url: safeUrl(url),
    phones: [text(phone), text(mobile)].filter(Boolean),
  };
}

/** Return a ticket as the page shows it; what older connectors do not tell of it is unknown. */
export function toTicket({ id, number, subject, status, url, priority, escalated, created_at: created }) {
  return {
    id: String(id ?? ""),
    number: number == null ? null : String(number),
    subject: text(subject),
    status: text(status),
    priority: text(priority),
    isEscalated: escalated === true || String(status).toLowerCase() === "escalated",
    createdAt: moment(created),
    url: safeUrl(url),
  };
}

/** Return what an account is shown by; of anything else null. */
export function toAccount(account) {
  if (!account || typeof account !== "object") return null;
  return { id: String(account.id ?? ""), name: text(account.name), url: safeUrl(account.url) };
}

/** Return what pops, null where the connector has no such rules: then everything does. */
function toPop(pop) {
  if (!pop || typeof pop !== "object") return null;
  return { now: pop.now === true, then: oneOf(THEN, pop.then, "nothing") };
}

function toRights(may) {
  const allows = (right) => may?.[right] === true;
  return { create: allows("create"), edit: allows("edit"), ticket: allows("ticket") };
}

/** Return a field that is shown as it rings, if it says anything. */
function toShown(field) {
  const value = typeof field.value === "number" ? String(field.value) : text(field.value);
  const label = text(field.label) ?? text(field.name);
  return value === null || label === null ? null : { name: text(field.name), label, value };
}

/** Return which portals have to be linked again, by name, what was never set up, and who can do either. */
export function toLinks(links) {
  const missing = names(links?.missing).filter((one) => MISSING.includes(one));
  return { lost: names(links?.lost), linkers: names(links?.linkers), missing };
}

function toNumber(number) {
  const kind = oneOf(KINDS, number?.kind, "unreadable");
  const otherwise = kind === "withheld" ? "Withheld number" : "Unknown number";
  return { display: text(number?.display) ?? text(number?.e164) ?? otherwise, kind, e164: text(number?.e164) };
}

/** Return a CallView of the wire contract in full, or null if it cannot be shown at all. */
export function toCall(view) {
  if (!Number.isInteger(view?.id) || !Number.isInteger(view.revision)) return null;
  if (!STATES.includes(view.state)) return null;
  return {
    id: view.id,
    revision: view.revision,
    state: view.state,
    result: text(view.result),
    key: text(view.key),
    mine: text(view.mine),
    direction: text(view.direction) ?? "inbound",
    number: toNumber(view.number),
    line: text(view.line),
    queue: text(view.queue),
    answeredBy: names(view.answered_by),
    talking: names(view.talking),
    rung: names(view.rung),
    startedAt: moment(view.started_at),
    answeredAt: moment(view.answered_at),
    endedAt: moment(view.ended_at),
    talkSeconds: moment(view.talk_seconds),
    lookup: oneOf(LOOKUPS, view.lookup, "skipped"),
    problem: text(view.problem),
    asksAgain: view.asks_again === true,
    contacts: list(view.contacts).map(toContact),
    chosen: text(view.chosen),
    tickets: Array.isArray(view.tickets) ? list(view.tickets).map(toTicket) : null,
    can: Array.isArray(view.can) ? view.can.filter((one) => ACTIONS.includes(one)) : [],
    cannot: text(view.cannot),
    pop: toPop(view.pop),
    accounts: view.matched === "accounts" ? list(view.accounts).map(toAccount) : [],
    fields: list(view.fields).map(toShown).filter(Boolean),
    may: toRights(view.may),
    record: { state: oneOf(RECORDS, view.record?.state, "none"), url: safeUrl(view.record?.url) },
  };
}
