/** Ask the connector: JSON in, JSON out, same origin only. */

/** The connector said no, or said nothing: `status` is 0 if there was no answer. */
export class ApiError extends Error {
  constructor(status) {
    super(`answered ${status}`);
    this.status = status;
  }
}

/**
 * Make the two requests of the page; `onSignedOut()` is called at a 401.
 * `chooseContact(callId, contactId|null)` answers a CallView, `searchContacts(text, signal)` contacts.
 */
export function createApi(onSignedOut) {
  async function ask(path, options) {
    const response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options }).catch(lost);
    if (response.status === 401) onSignedOut();
    if (!response.ok) throw new ApiError(response.status);
    return response.json();
  }

  return {
    chooseContact: (callId, contactId) =>
      ask(`/api/calls/${callId}/contact`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Requested-With": "connector" },
        body: JSON.stringify({ contact: contactId }),
      }),
    searchContacts: async (text, signal) => {
      const answer = await ask(`/api/contacts/search?${new URLSearchParams({ text })}`, { signal });
      return Array.isArray(answer?.contacts) ? answer.contacts : [];
    },
  };
}

function lost(error) {
  if (error.name === "AbortError") throw error;
  throw new ApiError(0);
}
