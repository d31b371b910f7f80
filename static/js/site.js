/** Where the connector is: below the path that PUBLIC_URL has, or at an address that who embeds the page gives. */

let base = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Have everything asked of the connector at `address`: scheme, host and path. */
export function setBase(address) {
  base = address.replace(/\/$/, "");
}

/** Return the address of a path of the connector, such as "/api/calls": every fetch and link of a script asks. */
export const at = (path) => base + path;
