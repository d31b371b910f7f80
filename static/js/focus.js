/** Which call has the focus: its card is the one that stands beside the calls. Pure but for the little it keeps. */

import { phaseOf } from "./words.js";

/** Tell whether a call that rings says so in one quiet line: its rules pop nothing now. */
export function isQuiet(call) {
  return call.pop !== null && !call.pop.now && ["ringing", "dialling", "talking"].includes(phaseOf(call));
}

/** Tell whether a call's card shows by itself; without rules every call's does. */
export function popsCard(call) {
  return call.pop === null || (call.pop.now && !["nothing", "open"].includes(call.pop.then));
}

/**
 * Make the focus. `choose(id)` is the agent's own; `pick(calls, isBusy)` returns the call that has it now, or null.
 * `calls` are all that are shown, open ones first; `isBusy(id)` tells of one that something is being written on.
 */
export function createFocus() {
  let id = null;
  let isChosen = false;

  function stays(call, calls, isBusy) {
    if (call === undefined) return false;
    if (isBusy(call.id)) return true;
    const mine = calls.find((one) => phaseOf(one) === "talking");
    if (call.state !== "ended" && phaseOf(call) !== "talking" && mine !== undefined && !isChosen) return false;
    if (call.state === "ended") return isChosen || (call.pop !== null && calls.every((one) => one.state === "ended"));
    return isChosen || phaseOf(call) !== "elsewhere";
  }

  return {
    get id() {
      return id;
    },
    choose(chosen) {
      id = chosen;
      isChosen = chosen !== null;
    },
    pick(calls, isBusy) {
      if (stays(calls.find((call) => call.id === id), calls, isBusy)) return id;
      const open = calls.filter((call) => call.state !== "ended" && !isQuiet(call) && popsCard(call));
      const rank = (call) => ["talking", "ringing", "dialling", "elsewhere"].indexOf(phaseOf(call));
      id = open.toSorted((a, b) => rank(a) - rank(b))[0]?.id ?? null;
      isChosen = false;
      return id;
    },
  };
}
