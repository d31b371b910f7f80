/** What the page says about a call. Pure: views in, sentences out. */

const PHASES = {
  ringing: "Ringing",
  dialling: "Calling",
  talking: "Talking",
  elsewhere: "Answered",
  missed: "Missed call",
  unanswered: "Not answered",
  over: "Talked",
};

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

/** Return where a call stands for this agent: a key of PHASES. */
export function phaseOf(call) {
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
  if (phase === "over" && call.talkSeconds === null) return "Ended";
  return PHASES[phase];
}

/** Return who has a call that this agent has not, or had: what the phone system says, and no more than that. */
function elsewhereWords({ mine, answeredBy, talking, rung }) {
  if (mine !== "over") return [PHASES.elsewhere, ...by(talking.length > 0 ? talking : answeredBy)].join(" ");
  if (talking.length > 0) return `Handed over, now with ${talking.join(", ")}`;
  return rung.length > 0 ? `Handed over, rings at ${rung.join(", ")}` : "Goes on without you";
}

const by = (names) => (names.length > 0 ? ["by", names.join(", ")] : []);

/** Stands for the choice that it is none of those who were found. */
export const NOBODY = "none";

/** Return the contact a call shows: the chosen one, else the only match, else null. */
export function contactOf(call) {
  if (call.chosen === NOBODY) return null;
  const chosen = call.contacts.find((contact) => contact.id === call.chosen);
  return chosen ?? (call.contacts.length === 1 ? call.contacts[0] : null);
}

/** Return what helps to choose a contact among several: its account, its tickets, when it last had to do with us. */
export function matchFacts({ account, openTickets, lastAt, modifiedAt }) {
  const day = (at) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(at);
  const open = openTickets === null ? null : `${openTickets || "no"} open ticket${openTickets === 1 ? "" : "s"}`;
  const last = lastAt === null ? modifiedAt && `changed ${day(modifiedAt)}` : `last ticket ${day(lastAt)}`;
  return [account, open, last].filter(Boolean);
}

/** Return the headline of a call: a name if there is one, else the number. */
export function whoOf(call) {
  return contactOf(call)?.name ?? call.number.display;
}

/** Return the number by which the other side can be called, or null. */
export function numberOf(call) {
  if (call.number.e164 !== null) return call.number.e164;
  return call.number.kind === "extension" ? call.number.display : null;
}

/** Return what the look-up found, where it is not simply a contact; else "". */
export function lookupWords(call) {
  if (contactOf(call)) return "";
  if (call.chosen === NOBODY) return "A contact of its own is made for this call";
  const sentences = {
    pending: "Looking in Desk…",
    none: "No contact in Desk has this number",
    failed: failedWords(call),
    found: `${call.contacts.length} contacts in Desk have this number`,
    skipped: skippedWords(call),
  };
  return sentences[call.lookup];
}

function failedWords({ problem, asksAgain }) {
  if (asksAgain) return "Desk did not answer; it is being asked again";
  if (problem === "grant_lost") return "No name, because Zoho Desk has to be linked again by an administrator";
  if (problem === "credits_exhausted" || problem === "credits_kept") return "No name, because Desk's credits of today are used up";
  return "Desk did not answer; the call is logged all the same";
}

function skippedWords(call) {
  if (call.number.kind === "withheld") return "The caller does not show a number";
  if (call.direction === "internal") return "Internal call";
  if (call.number.kind === "extension") return "Extension";
  if (call.number.kind === "address") return "Internet call address, not a number that Desk could know";
  if (call.number.kind === "unreadable") return "Not a number that Desk could know";
  return "Not looked up in Desk";
}

/** Return by which queue and own number a call came in or went out, as a list of facts. */
export function lineFacts(call) {
  const preposition = call.direction === "outbound" ? "from" : "to";
  return [call.queue, call.line && `${preposition} ${call.line}`].filter(Boolean);
}

/** Return number and account of a call that shows a name, else what the look-up found; a list of facts. */
export function detailFacts(call) {
  if (whoOf(call) === call.number.display) return [lookupWords(call) || contactOf(call)?.account].filter(Boolean);
  return [call.number.display, contactOf(call)?.account].filter(Boolean);
}

/** Return what an ended call came to: how long was talked or rung, and when. */
export function summaryWords(call) {
  const rang = call.startedAt === null || call.endedAt === null ? null : (call.endedAt - call.startedAt) / 1000;
  const talked = phaseOf(call) === "over";
  const seconds = talked ? call.talkSeconds : rang;
  const length = seconds === null ? null : `${talked ? "" : "rang "}${duration(seconds)}`;
  return [length, clockTime(call.endedAt)].filter(Boolean).join(" · ");
}

/** Return how the call record stands. */
export function recordWords(call) {
  return {
    none: "",
    waiting: "Waiting to be written to Desk",
    written: "Written to Desk",
    failed: "Not written to Desk; your administrator sees why",
  }[call.record.state];
}

/** Return what a lost link to Desk means to this agent, in sentences; nothing where none is lost. */
export function linkWords({ lost, linkers }, isLinker) {
  if (lost.length === 0) return { headline: "", words: "" };
  const headline = `Zoho Desk has to be linked again (${lost.join(", ")}).`;
  const meanwhile = "Until then calls show the number without a name, and their records wait; nothing is lost.";
  const whose = linkers.length > 0 ? `: ${linkers.join(", ")}` : "";
  return { headline, words: isLinker ? meanwhile : `An administrator does that${whose}. ${meanwhile}` };
}

/** Return what stands where no call is: that all is well, or what is missing, and who sets it up. */
export function emptyWords({ missing, linkers }, isLinker) {
  if (missing.length === 0) return { title: "No call right now", words: "You are connected. The next call shows here at once." };
  if (isLinker) return { title: "Set up what is missing", words: "Calls show here as soon as that is done:" };
  const whose = linkers.length > 0 ? ` (${linkers.join(", ")})` : "";
  return {
    title: "Nothing is set up yet",
    words: `An administrator${whose} still has to ${missing.map((one) => SET_UP[one]).join(" and ")}. Calls show here after that.`,
  };
}

const SET_UP = { portal: "link Zoho Desk", phone_system: "add the phone system" };

/** Return why nothing can be done with a call from here, where that is not as the agent expects; else "". */
export function cannotWords({ cannot }) {
  if (cannot !== "no_program") return "";
  return "Calls cannot be ended or handed over from here yet: no program has ever come from the phone system to do it. An administrator sets it up.";
}

/** Return the page's title: who rings, else what the connection is like. */
export function titleWords(ringing, connection) {
  if (connection === "signed_out") return "Signed out · Connector";
  if (connection === "reconnecting") return "Reconnecting… · Connector";
  if (ringing.length === 0) return "Calls · Connector";
  const others = ringing.length > 1 ? ` (+${ringing.length - 1})` : "";
  return `☎ ${whoOf(ringing[0])}${others} · Connector`;
}
