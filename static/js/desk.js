/** Keep the cards beside the calls: which one shows, where it stands, and what is written in any of them. */

import { createDetails } from "./details.js";
import { moveTo } from "./dom.js";
import { createFocus, popsCard } from "./focus.js";
import { accountOf, contactOf, whomOf } from "./words.js";

/**
 * Make the desk; `actions` are those of the cards.
 * `place(calls, rowOf)` shows the card of the call that has the focus in its row; what is being written in others
 * stays where it is. `held(calls)` returns calls that are gone while something is written on their card.
 */
export function createDesk(actions) {
  const focus = createFocus();
  const shown = new Map();
  let known = new Map();

  const isBusy = (id) => shown.get(id)?.isBusy() ?? false;
  const hasForm = (id) => shown.get(id)?.hasForm() ?? false;

  /** Return the card of a call, made where there is none yet. */
  function detailsOf(id) {
    if (!shown.has(id)) shown.set(id, createDetails(id, actions));
    return shown.get(id);
  }

  function want(call) {
    if (call.pop !== null && document.visibilityState === "visible") actions.cards.want(call.id, whomOf(call));
  }

  function hold(call) {
    return { ...call, state: "ended", isWithdrawn: true, endedAt: call.endedAt ?? actions.now(), can: [] };
  }

  return {
    focus,
    isBusy,
    isActive: (id) => focus.id === id,
    hasWork: (id) => hasForm(id) && isBusy(id),
    of: detailsOf,
    held(calls) {
      for (const call of calls) known.set(call.id, call);
      const there = new Set(calls.map((call) => call.id));
      return [...known.values()].filter((call) => !there.has(call.id) && hasForm(call.id) && isBusy(call.id)).map(hold);
    },
    pick: (calls) => focus.pick(calls, isBusy),
    place(calls, rowOf) {
      for (const id of [...shown.keys()]) if (id !== focus.id && !hasForm(id)) drop(id);
      const there = new Set(calls.map((call) => call.id));
      for (const id of [...shown.keys()]) if (!there.has(id)) drop(id);
      actions.cards.keep(there);
      known = new Map(calls.map((call) => [call.id, call]));
      for (const call of calls) showOne(call, rowOf(call.id));
    },
    clear() {
      for (const id of [...shown.keys()]) drop(id);
      known.clear();
      actions.cards.forgetAll();
      focus.choose(null);
    },
  };

  function drop(id) {
    shown.get(id).node.remove();
    shown.delete(id);
  }

  function showOne(call, row) {
    if (call.id !== focus.id && !shown.has(call.id)) {
      if (popsCard(call) && call.pop !== null && call.state === "ringing") want(call);
      return;
    }
    if (call.id === focus.id) want(call);
    const [details, entry] = [detailsOf(call.id), actions.cards.of(call.id)];
    details.update(call, entry);
    details.node.hidden = call.id !== focus.id;
    if (says(call, entry) || details.hasForm()) moveTo(row, details.node);
    else details.node.remove();
  }
}

/** Tell whether a card says more than the call does. */
function says(call, { card, isLoading, problem }) {
  return card !== null || isLoading || problem === "lost" || contactOf(call) !== null || accountOf(call) !== null;
}
