/** Where the connector is on its host: at the root, or below a path that PUBLIC_URL has. */

const BASE = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Return the address of a path of the connector, such as "/api/calls": every fetch and link of a script asks. */
export const at = (path) => BASE + path;
