/** Ask the connector: JSON in, JSON out. */

import { toCard, toProfiles, toTicket } from "./card_shape.js";
import { request } from "./server.js";
import { toColleague, toContact } from "./shape.js";

const WAIT_SECONDS = 25;

/**
 * The connector refused, or did not answer: `status` is 0 if there was no answer, `detail` why in plain words,
 * `reason` the last word of the problem's type, `problem` the whole of it.
 */
export class ApiError extends Error {
  constructor(status, { detail = null, reason = null, problem = {} } = {}) {
    super(`answered ${status}`);
    this.status = status;
    this.detail = detail;
    this.reason = reason;
    this.problem = problem;
  }
}

/**
 * Make the requests of the page; `onSignedOut()` is called at a 401.
 * `chooseContact(callId, contactId|null)` returns a CallView, `searchContacts(text, signal)` contacts.
 * `dial`, `hangUp` and `handOver` answer an order, under a key: sent again it is the same one.
 * `dial` says whom, where that is known: the id of the contact, or null.
 * `order(id, state)` returns it once it is in another state, or after a while.
 * `card`, `saveCard` and `createRecord` return a card; `createRecord` null where it is not known yet whether
 * Desk made it. `profiles` and `switchProfile` return `{active, profiles}`.
 */
export function createApi(onSignedOut) {
  async function ask(path, options) {
    const response = await request(path, options).catch(lost);
    if (response.status === 401) onSignedOut();
    if (!response.ok) throw new ApiError(response.status, await problemOf(response));
    return response.json().catch(lost);
  }

  function send(method, path, body, key = null) {
    const own = { "Content-Type": "application/json", "X-Requested-With": "connector" };
    const headers = key === null ? own : { ...own, "Idempotency-Key": key };
    return ask(path, { method, headers, body: JSON.stringify(body) });
  }

  const post = (path, body, key) => send("POST", path, body, key);
  const patch = (path, body) => send("PATCH", path, body);
  const put = (path, body) => send("PUT", path, body);

  async function search(text, signal) {
    const answer = await ask(`/api/contacts/search?${new URLSearchParams({ text })}`, { signal });
    return (Array.isArray(answer?.contacts) ? answer.contacts : []).map((one) => toContact(one ?? {}));
  }

  async function card(callId, contactId = null) {
    const query = contactId === null ? "" : `?${new URLSearchParams({ contact: contactId })}`;
    return toCard(await ask(`/api/calls/${callId}/card${query}`));
  }

  const made = (answer, shape) => (answer?.state === "unknown" ? null : shape(answer));

  return {
    chooseContact: (callId, contactId) => post(`/api/calls/${callId}/contact`, { contact: contactId }),
    dial: (number, contact, key) => post("/api/calls", contact === null ? { number } : { number, contact }, key),
    hangUp: (callId, key) => post(`/api/calls/${callId}/hangup`, {}, key),
    handOver: (callId, telephone, key) => post(`/api/calls/${callId}/transfer`, { to: telephone }, key),
    order: (id, state) => ask(`/api/orders/${encodeURIComponent(id)}?${new URLSearchParams({ wait: WAIT_SECONDS, state })}`),
    colleagues: async (callId) => (await ask(`/api/calls/${callId}/colleagues`)).colleagues.map(toColleague),
    searchContacts: search,
    card,
    saveCard: async (callId, edit) => toCard(await patch(`/api/calls/${callId}/card`, edit)),
    createRecord: async (callId, wanted) => made(await post(`/api/calls/${callId}/card`, wanted), toCard),
    createTicket: async (callId, wanted) =>
      made(await post(`/api/calls/${callId}/tickets`, wanted), (answer) => toTicket(answer?.ticket ?? {})),
    assignTicket: (callId, ticketId) => put(`/api/calls/${callId}/ticket`, { ticket_id: ticketId }),
    profiles: async () => toProfiles(await ask("/api/profile")),
    switchProfile: async (id) => toProfiles(await put("/api/profile", { id })),
  };
}

async function problemOf(response) {
  const problem = (await response.json().catch(() => null)) ?? {};
  const text = (value) => (typeof value === "string" && value ? value : null);
  const reason = text(problem.reason) ?? text(problem.type)?.split(":").at(-1) ?? null;
  return { detail: text(problem.detail), reason, problem };
}

function lost(error) {
  if (error.name === "AbortError") throw error;
  throw new ApiError(0);
}
