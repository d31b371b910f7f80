/** Reach the connector: the one place from which the banner's requests and its stream go out. */

import { withCredentials } from "./credentials.js";
import { at } from "./site.js";

/** Fetch a path of the connector, such as "/api/calls"; nothing is kept by the browser. */
export function request(path, options = {}) {
  return fetch(at(path), withCredentials({ cache: "no-store", ...options }));
}
