/** What the page says of a card: its tickets, its last calls, what matters in the first second. Pure. */

import { n, t } from "./texts.js";
import { clockTime, dateWords, duration } from "./words.js";

const DAY = 24 * 3600 * 1000;
const HOUR = 3600 * 1000;

/** Return how old something is, shortly: minutes, hours, days. */
export function ageWords(at, now) {
  if (at === null) return null;
  const old = Math.max(0, now - at);
  if (old < HOUR) return t("{count} min", { count: Math.floor(old / 60_000) });
  return old < 2 * DAY ? t("{count} h", { count: Math.floor(old / HOUR) }) : t("{count} d", { count: Math.floor(old / DAY) });
}

/** Return how a ticket stands: its state, priority and age. */
export function ticketFacts(ticket, now) {
  const state = ticket.isEscalated ? t("Escalated") : ticket.status;
  return [state, ticket.priority, ageWords(ticket.createdAt, now)].filter(Boolean);
}

/** Return a day as people say it: today's by its time, yesterday, else the date. */
export function dayWords(at, now) {
  if (at === null) return "";
  const days = Math.round((startOfDay(now) - startOfDay(at)) / DAY);
  if (days === 0) return clockTime(at);
  return days === 1 ? t("yesterday") : dateWords(at);
}

function startOfDay(at) {
  const day = new Date(at);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/** Return who talked in an earlier call, or that nobody did. */
export function lastCallFacts({ at, agent, result, talkSeconds }, now) {
  const when = dayWords(at, now);
  const time = at !== null && when !== clockTime(at) ? clockTime(at) : null;
  const talked = result === "answered" ? [agent, talkSeconds === null ? null : duration(talkSeconds)] : [untakenWords(result)];
  return [[when, time].filter(Boolean).join(" "), ...talked].filter(Boolean);
}

/** Return what came of a call in which nobody talked yet: it goes on, nobody took ours, or we missed theirs. */
function untakenWords(result) {
  if (!result) return t("under way");
  return result === "canceled" ? t("not answered") : t("missed");
}

/**
 * Return what matters in the first second: `[{words, isLate}]`, from the card, or from the call as far as it goes.
 */
export function chips(call, card, now) {
  const tickets = card?.tickets ?? call.tickets;
  const escalated = (tickets ?? []).filter((one) => one.isEscalated).length;
  const others = (tickets?.length ?? 0) - escalated;
  const last = card?.calls.find((one) => one.result);
  return [
    escalated > 0 && late(n("{count} escalated ticket", "{count} escalated tickets", escalated)),
    others > 0 && chip(n("{count} open ticket", "{count} open tickets", others)),
    (card?.callsThisWeek ?? 0) > 1 && chip(t("{count} calls this week", { count: card.callsThisWeek })),
    last && chip(lastWords(last, now)),
    ...call.fields.filter((field) => !isSaid(field, call)).map(({ label, value }) => chip(`${label}: ${value}`)),
  ].filter(Boolean);
}

/** Tell whether the call's headline says a field already: a part of the name, or the number that calls. */
function isSaid({ name, value }, call) {
  if (["firstName", "lastName", "accountName"].includes(name)) return true;
  return ["phone", "mobile"].includes(name) && digits(value).slice(-9) === digits(call.number.display).slice(-9);
}

const digits = (text) => String(text).replace(/\D/g, "");

const chip = (words) => ({ words, isLate: false });
const late = (words) => ({ words, isLate: true });

function lastWords({ at, agent, result }, now) {
  const day = dayWords(at, now);
  if (result === "canceled") return t("Last: not answered, {day}", { day });
  if (result !== "answered") return t("Last: missed, {day}", { day });
  return agent ? t("Last: {agent}, {day}", { agent, day }) : t("Last: {day}", { day });
}

/** Return how many tickets are open, as it is heard; "" where none are or nothing is known. */
export function ticketsHeard(tickets) {
  if (!tickets?.length) return "";
  const escalated = tickets.filter((one) => one.isEscalated).length;
  const open = n("{count} open ticket", "{count} open tickets", tickets.length);
  return escalated === 0 ? open : t("{open}, {count} of them escalated", { open, count: escalated });
}

/** Return why a request of the card came to nothing, and what to do, in plain words. */
export function failureWords({ status, detail }) {
  if (status === 0 || status >= 500) return t("The connector did not answer. What you wrote is still here: try again.");
  return detail ?? t("The connector refused. What you wrote is still here.");
}
