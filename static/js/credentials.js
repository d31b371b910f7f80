/** Say with each request who asks: by the session's cookie, or by a bearer where no cookie comes along. */

let bearer = null;

/** Use `source`, a token or what returns the present one, instead of the cookie; null for the cookie again. */
export function useBearer(source) {
  bearer = source === null || typeof source === "function" ? source : () => source;
}

/** Return the options of a fetch with what says who asks; never by both. */
export function withCredentials(options) {
  const headers = new Headers(options.headers);
  if (bearer === null) return { ...options, headers, credentials: "same-origin" };
  headers.set("Authorization", `Bearer ${bearer()}`);
  return { ...options, headers, credentials: "omit" };
}
