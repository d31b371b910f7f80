/** Keep the server's time in the browser, whatever the computer's own clock says. */

/** Make a clock: `sync(now)` takes the server's epoch milliseconds, `now()` returns the server's present. */
export function createClock(local = Date.now) {
  let offset = 0;
  return {
    sync(serverNow) {
      if (Number.isFinite(serverNow)) offset = serverNow - local();
    },
    now: () => local() + offset,
  };
}
