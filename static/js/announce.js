/** Announce to screen readers what happens to calls: each ringing, answering, ending and withdrawal once. */

import { el } from "./dom.js";
import { contactOf, phaseOf, whoOf } from "./words.js";

const NAME_WAIT_MS = 1_500;
const KEPT = 5;

/** Make the announcer on a polite live region: give it each `(state, before)`. */
export function createAnnouncer(region) {
  const ringing = new Map();

  function say(sentence) {
    region.append(el("p", {}, sentence));
    while (region.children.length > KEPT) region.firstChild.remove();
  }

  /** Announce who rings as soon as the name is known, or the number if the name takes long; a late name follows. */
  function ring(call) {
    const note = ringing.get(call.id) ?? { said: null };
    note.call = call;
    if (!ringing.has(call.id)) note.timer = setTimeout(() => sayRinging(note), NAME_WAIT_MS);
    ringing.set(call.id, note);
    if (note.said === null ? call.lookup !== "pending" : note.said !== whoOf(call)) sayRinging(note);
  }

  function sayRinging(note) {
    clearTimeout(note.timer);
    const who = whoOf(note.call);
    const account = contactOf(note.call)?.account;
    const named = account ? `${who}, ${account}` : who;
    const outbound = phaseOf(note.call) === "dialling";
    say(note.said ? `${note.said} is ${named}` : `${outbound ? "Calling" : "Incoming call from"} ${named}`);
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

  return function announce(state, before) {
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
    if (before.connection === "live" && state.connection === "reconnecting") say("Connection lost. Reconnecting.");
    if (before.connection === "reconnecting" && state.connection === "live") say("Connected again.");
  };
}

function changeWords(call) {
  const who = whoOf(call);
  const sentences = {
    talking: `Talking to ${who}`,
    elsewhere: `${call.answeredBy.join(", ") || "Somebody else"} answered ${who}`,
    missed: `Missed call from ${who}`,
    unanswered: `Call with ${who} was not answered`,
    over: `Call with ${who} ended`,
  };
  return sentences[phaseOf(call)];
}

function withdrawnWords(call, gone) {
  const who = whoOf(call);
  if (gone?.reason === "answered_elsewhere") return `${who} was answered by somebody else`;
  return `Call from ${who} was withdrawn`;
}
