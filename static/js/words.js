/** What the page says about a call. Pure: views in, sentences out. */

import { n, t } from "./texts.js";

const PHASES = {
  ringing: t("Ringing"),
  dialling: t("Calling"),
  talking: t("Talking"),
  elsewhere: t("Answered"),
  missed: t("Missed call"),
  unanswered: t("Not answered"),
  over: t("Talked"),
  withdrawn: t("No longer yours"),
};

/** The words by which languages other than English want dates; the browser's own for English. */
const LANGUAGE = ["", "en", "en-XA"].includes(document.documentElement.lang) ? undefined : document.documentElement.lang;

/** Return whole seconds as m:ss or h:mm:ss; nothing is ever negative. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value) => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** Return the time of day of `at` (epoch ms) in the agent's own zone and manner. */
export function clockTime(at, withSeconds = false) {
  if (at === null) return "";
  const format = { hour: "2-digit", minute: "2-digit", ...(withSeconds && { second: "2-digit" }) };
  return new Intl.DateTimeFormat(undefined, format).format(at);
}

/** Return a date in the agent's own manner. */
export const dateWords = (at) => new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium" }).format(at);

/** Return where a call stands for this agent: a key of PHASES. */
export function phaseOf(call) {
  if (call.isWithdrawn) return "withdrawn";
  if (call.state === "ringing") return call.direction === "outbound" ? "dialling" : "ringing";
  if (call.state === "answered") return answeredPhase(call);
  if (call.result === "missed") return "missed";
  return call.result === "canceled" ? "unanswered" : "over";
}

function answeredPhase({ mine, answeredBy, talking }) {
  if (mine === "answered") return "talking";
  // Who had it has handed it on, and it rings here now.
  return mine === "offered" && answeredBy.length > 0 && talking.length === 0 ? "ringing" : "elsewhere";
}

/** Return the words for where a call stands. */
export function phaseWords(call) {
  const phase = phaseOf(call);
  if (phase === "elsewhere") return elsewhereWords(call);
  if (phase === "over" && call.talkSeconds === null) return t("Ended");
  return PHASES[phase];
}

/** Return who has a call that this agent has not, or had: what the phone system says, and no more than that. */
function elsewhereWords({ mine, answeredBy, talking, rung }) {
  if (mine !== "over") return answeredWords(talking.length > 0 ? talking : answeredBy);
  if (talking.length > 0) return t("Handed over, now with {names}", { names: talking.join(", ") });
  return rung.length > 0 ? t("Handed over, rings at {names}", { names: rung.join(", ") }) : t("Goes on without you");
}

const answeredWords = (names) => (names.length > 0 ? t("Answered by {names}", { names: names.join(", ") }) : PHASES.elsewhere);

/** Stands for the choice that it is none of those who were found. */
export const NOBODY = "none";

/** Return the contact a call shows: the chosen one, else the only match, else null. */
export function contactOf(call) {
  if (call.chosen === NOBODY) return null;
  const chosen = call.contacts.find((contact) => contact.id === call.chosen);
  return chosen ?? (call.contacts.length === 1 ? call.contacts[0] : null);
}

/** Return the account that a call is with, where no contact of it is known. */
export function accountOf(call) {
  return contactOf(call) === null && call.chosen !== NOBODY && call.accounts.length === 1 ? call.accounts[0] : null;
}

/** Return what a card is kept by: whom the call is with, as far as that is known. */
export function whomOf(call) {
  return JSON.stringify([contactOf(call)?.id ?? accountOf(call)?.id ?? null, call.chosen, call.lookup === "pending"]);
}

/** Return what helps to choose a contact among several: its account, its tickets, when it last had to do with us. */
export function matchFacts({ account, openTickets, lastAt, modifiedAt }) {
  const open = openTickets && n("{count} open ticket", "{count} open tickets", openTickets);
  const changed = modifiedAt && t("changed {date}", { date: dateWords(modifiedAt) });
  const last = lastAt === null ? changed : t("last ticket {date}", { date: dateWords(lastAt) });
  return [account, openTickets === 0 ? t("no open tickets") : open, last].filter(Boolean);
}

/** Return the headline of a call: a name if there is one, else the number. */
export function whoOf(call) {
  return contactOf(call)?.name ?? accountOf(call)?.name ?? call.number.display;
}

/** Return the number by which the other side can be called, or null. */
export function numberOf(call) {
  if (call.number.e164 !== null) return call.number.e164;
  return call.number.kind === "extension" ? call.number.display : null;
}

/** Return what the look-up found, where it is not simply a contact; else "". */
export function lookupWords(call) {
  if (contactOf(call) || accountOf(call)) return "";
  if (call.chosen === NOBODY) return t("A contact of its own is made for this call");
  const sentences = {
    pending: t("Looking in Desk…"),
    none: t("No contact in Desk has this number"),
    failed: failedWords(call),
    found: foundWords(call),
    skipped: skippedWords(call),
  };
  return sentences[call.lookup];
}

function foundWords({ contacts, accounts }) {
  if (contacts.length === 0 && accounts.length > 0) {
    return n("{count} account in Desk has this number", "{count} accounts in Desk have this number", accounts.length);
  }
  return n("{count} contact in Desk has this number", "{count} contacts in Desk have this number", contacts.length);
}

function failedWords({ problem, asksAgain }) {
  if (asksAgain) return t("Desk did not answer; it is being asked again");
  if (problem === "grant_lost") return t("No name, because Zoho Desk has to be linked again by an administrator");
  if (problem === "credits_exhausted" || problem === "credits_kept") {
    return t("No name, because Desk's credits of today are used up");
  }
  return t("Desk did not answer; the call is logged all the same");
}

function skippedWords(call) {
  if (call.number.kind === "withheld") return t("The caller does not show a number");
  if (call.direction === "internal") return t("Internal call");
  if (call.number.kind === "extension") return t("Extension");
  if (call.number.kind === "address") return t("Internet call address, not a number that Desk could know");
  if (call.number.kind === "unreadable") return t("Not a number that Desk could know");
  return t("Not looked up in Desk");
}

/** Return by which queue and own number a call came in or went out, as a list of facts. */
export function lineFacts(call) {
  const line = call.line && (call.direction === "outbound" ? t("from {line}", call) : t("to {line}", call));
  return [call.queue, line].filter(Boolean);
}

/** Return number and account of a call that shows a name, else what the look-up found; a list of facts. */
export function detailFacts(call) {
  if (whoOf(call) === call.number.display) return [lookupWords(call) || contactOf(call)?.account].filter(Boolean);
  return [contactOf(call)?.account, call.number.display].filter(Boolean);
}

/** Return what an ended call came to: how long was talked or rung, and when. */
export function summaryWords(call) {
  const rang = call.startedAt === null || call.endedAt === null ? null : (call.endedAt - call.startedAt) / 1000;
  const talked = phaseOf(call) === "over";
  const seconds = talked ? call.talkSeconds : rang;
  const time = seconds === null ? null : duration(seconds);
  return [time && (talked ? time : t("rang {time}", { time })), clockTime(call.endedAt)].filter(Boolean).join(" · ");
}

/** Return how the call record stands. */
export function recordWords(call) {
  return {
    none: "",
    waiting: t("Waiting to be written to Desk"),
    written: t("Written to Desk"),
    failed: t("Not written to Desk; your administrator sees why"),
  }[call.record.state];
}

/** Return what a lost link to Desk means to this agent, in sentences; nothing where none is lost. */
export function linkWords({ lost, linkers }, isLinker) {
  if (lost.length === 0) return { headline: "", words: "" };
  const headline = t("Zoho Desk has to be linked again ({portals}).", { portals: lost.join(", ") });
  const meanwhile = t("Until then calls show the number without a name, and their records wait; nothing is lost.");
  const names = linkers.join(", ");
  const whose = names ? t("An administrator does that: {names}.", { names }) : t("An administrator does that.");
  return { headline, words: isLinker ? meanwhile : `${whose} ${meanwhile}` };
}

/** Return what stands where no call is: that all is well, or what is missing, and who sets it up. */
export function emptyWords({ missing, linkers }, isLinker) {
  if (missing.length === 0) {
    return { title: t("No call right now"), words: t("You are connected. The next call shows here at once.") };
  }
  if (isLinker) return { title: t("Set up what is missing"), words: t("Calls show here as soon as that is done:") };
  const tasks = missing.map((one) => SET_UP[one]).join(t(" and "));
  const names = linkers.join(", ");
  const words = names
    ? t("An administrator ({names}) still has to {tasks}. Calls show here after that.", { names, tasks })
    : t("An administrator still has to {tasks}. Calls show here after that.", { tasks });
  return { title: t("Nothing is set up yet"), words };
}

const SET_UP = { portal: t("link Zoho Desk"), phone_system: t("add the phone system") };

/** Return why nothing can be done with a call from here, where that is not as the agent expects; else "". */
export function cannotWords({ cannot }) {
  if (cannot !== "no_program") return "";
  return t(
    "Calls cannot be ended or handed over from here yet: no program has ever come from the phone system to do it. An administrator sets it up.",
  );
}

/** Return the page's title: who rings, else what the connection is like. */
export function titleWords(ringing, connection) {
  if (connection === "signed_out") return t("Signed out · Connector");
  if (connection === "reconnecting") return t("Reconnecting… · Connector");
  if (ringing.length === 0) return t("Calls · Connector");
  const others = ringing.length > 1 ? ` (+${ringing.length - 1})` : "";
  return `☎ ${whoOf(ringing[0])}${others} · Connector`;
}
