/** Announce to screen readers what happens to calls: each ringing, answering, ending and withdrawal once. */

import { ticketsHeard } from "./card_words.js";
import { el } from "./dom.js";
import { t } from "./texts.js";
import { contactOf, phaseOf, whoOf } from "./words.js";

const NAME_WAIT_MS = 1_500;
const KEPT = 5;

/** Make the announcer on a polite live region: give `announce` each `(state, before)`; `say(sentence)` says more. */
export function createAnnouncer(region) {
  const ringing = new Map();

  function say(sentence) {
    region.append(el("p", {}, sentence));
    while (region.children.length > KEPT) region.firstChild.remove();
  }

  /** Announce who rings as soon as all is known, or what is known if that takes long; a late name follows. */
  function ring(call) {
    const note = ringing.get(call.id) ?? { said: null };
    note.call = call;
    if (!ringing.has(call.id)) note.timer = setTimeout(() => sayRinging(note), NAME_WAIT_MS);
    ringing.set(call.id, note);
    if (note.said === null ? isWhole(call) : note.said !== whoOf(call)) sayRinging(note);
  }

  function sayRinging(note) {
    clearTimeout(note.timer);
    const { call } = note;
    const [who, whom] = [whoOf(call), [whoOf(call), contactOf(call)?.account].filter(Boolean).join(", ")];
    const first = phaseOf(call) === "dialling" ? t("Calling {whom}", { whom }) : t("Incoming call from {whom}", { whom });
    const sentence = note.said ? t("{number} is {whom}", { number: note.said, whom }) : first;
    const queue = note.said === null && call.queue ? t("queue {queue}", call) : "";
    say([sentence, queue, ticketsHeard(call.tickets)].filter(Boolean).join(", "));
    note.said = who;
  }

  function settle(id, sentence) {
    clearTimeout(ringing.get(id)?.timer);
    ringing.delete(id);
    if (sentence) say(sentence);
  }

  function changed(call, before) {
    if (call.state === "ringing") ring(call);
    else if (before && before.state !== call.state) settle(call.id, changeWords(call));
  }

  function announce(state, before) {
    if (state.connection === "signed_out") {
      for (const id of ringing.keys()) settle(id, null);
      region.replaceChildren();
      return;
    }
    for (const call of Object.values(state.calls)) changed(call, before.calls[call.id]);
    for (const call of Object.values(before.calls)) {
      const open = call.state !== "ended";
      if (!state.calls[call.id]) settle(call.id, open && withdrawnWords(call, state.gone[call.id]));
    }
    if (before.connection === "live" && state.connection === "reconnecting") say(t("Connection lost. Reconnecting."));
    if (before.connection === "reconnecting" && state.connection === "live") say(t("Connected again."));
  }

  return { announce, say };
}

const isWhole = (call) => call.lookup !== "pending" && (contactOf(call) === null || call.tickets !== null);

function changeWords(call) {
  const who = whoOf(call);
  const names = call.answeredBy.join(", ");
  const sentences = {
    talking: t("Talking to {who}", { who }),
    elsewhere: names ? t("{names} answered {who}", { names, who }) : t("Somebody else answered {who}", { who }),
    missed: t("Missed call from {who}", { who }),
    unanswered: t("Call with {who} was not answered", { who }),
    over: t("Call with {who} ended", { who }),
  };
  return sentences[phaseOf(call)];
}

function withdrawnWords(call, gone) {
  const who = whoOf(call);
  if (gone?.reason === "answered_elsewhere") return t("{who} was answered by somebody else", { who });
  return t("Call from {who} was withdrawn", { who });
}
