/** Ask the connector: JSON in, JSON out, same origin only. */

import { toColleague } from "./shape.js";
import { at } from "./site.js";

const WAIT_SECONDS = 25;

/**
 * The connector refused, or did not answer: `status` is 0 if there was no answer, `detail` why in plain words,
 * `reason` the last word of the problem's type.
 */
export class ApiError extends Error {
  constructor(status, { detail = null, reason = null } = {}) {
    super(`answered ${status}`);
    this.status = status;
    this.detail = detail;
    this.reason = reason;
  }
}

/**
 * Make the requests of the page; `onSignedOut()` is called at a 401.
 * `chooseContact(callId, contactId|null)` returns a CallView, `searchContacts(text, signal)` contacts.
 * `dial`, `hangUp` and `handOver` answer an order, under a key: sent again it is the same one.
 * `dial` says whom, where that is known: the id of the contact, or null.
 * `order(id, state)` returns it once it is in another state, or after a while.
 */
export function createApi(onSignedOut) {
  async function ask(path, options) {
    const response = await fetch(at(path), { credentials: "same-origin", cache: "no-store", ...options }).catch(lost);
    if (response.status === 401) onSignedOut();
    if (!response.ok) throw new ApiError(response.status, await problemOf(response));
    return response.json().catch(lost);
  }

  function post(path, body, key = null) {
    const own = { "Content-Type": "application/json", "X-Requested-With": "connector" };
    const headers = key === null ? own : { ...own, "Idempotency-Key": key };
    return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  return {
    chooseContact: (callId, contactId) => post(`/api/calls/${callId}/contact`, { contact: contactId }),
    dial: (number, contact, key) => post("/api/calls", contact === null ? { number } : { number, contact }, key),
    hangUp: (callId, key) => post(`/api/calls/${callId}/hangup`, {}, key),
    handOver: (callId, telephone, key) => post(`/api/calls/${callId}/transfer`, { to: telephone }, key),
    order: (id, state) => ask(`/api/orders/${encodeURIComponent(id)}?${new URLSearchParams({ wait: WAIT_SECONDS, state })}`),
    colleagues: async (callId) => (await ask(`/api/calls/${callId}/colleagues`)).colleagues.map(toColleague),
    searchContacts: async (text, signal) => {
      const answer = await ask(`/api/contacts/search?${new URLSearchParams({ text })}`, { signal });
      return Array.isArray(answer?.contacts) ? answer.contacts : [];
    },
  };
}

async function problemOf(response) {
  const problem = await response.json().catch(() => null);
  const text = (value) => (typeof value === "string" && value ? value : null);
  return { detail: text(problem?.detail), reason: text(problem?.type)?.split(":").at(-1) ?? null };
}

function lost(error) {
  if (error.name === "AbortError") throw error;
  throw new ApiError(0);
}
