/** Keep the cards of calls: ask for each once it is wanted, and again when the call is with somebody else. */

const NOTHING = Object.freeze({ card: null, isLoading: false, problem: null });

/**
 * Make the cards over `ask(callId)`; `onChange()` is called when one has come, or has not.
 * `of(callId)` returns `{card, isLoading, problem}`: problem is null | "missing" (no such card) | "lost".
 */
export function createCards(ask, onChange) {
  const entries = new Map();

  async function load(callId, whom) {
    const old = entries.get(callId);
    const entry = { card: old?.whom === whom ? old.card : null, isLoading: true, problem: null, whom };
    entries.set(callId, entry);
    try {
      entry.card = await ask(callId);
    } catch (error) {
      entry.problem = error.status === 404 || error.status === 403 ? "missing" : "lost";
    }
    entry.isLoading = false;
    if (entries.get(callId) === entry) onChange();
  }

  return {
    of: (callId) => entries.get(callId) ?? NOTHING,
    /** Ask for a call's card, unless it is known whom the call is with, `whom`, and that is the card there is. */
    want(callId, whom) {
      if (entries.get(callId)?.whom !== whom) load(callId, whom);
    },
    again: (callId) => load(callId, entries.get(callId)?.whom),
    put(callId, card, whom = entries.get(callId)?.whom) {
      entries.set(callId, { card, isLoading: false, problem: null, whom });
      onChange();
    },
    forgetAll: () => entries.clear(),
    keep(ids) {
      for (const id of entries.keys()) if (!ids.has(id)) entries.delete(id);
    },
  };
}
