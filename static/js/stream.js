/** Keep one server-sent stream open: read it, watch over its silence, open it again when it breaks. */

import { request } from "./server.js";
import { createParser } from "./sse.js";

const SILENCE_MS = 40_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/** Return the pause before attempt `attempt` (0 = first retry), with `random` in [0, 1): half fixed, half jitter. */
export function pauseBefore(attempt, random) {
  const step = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  return Math.round(step / 2 + (step / 2) * random);
}

/**
 * Open `path` and keep it open until `close()`.
 * `onEvent(name, text)` gets each event, `onBeat()` each sign of life (comments included),
 * `onLost()` each break, `onSignedOut()` a 401, after which the stream stays closed.
 * fetch instead of EventSource: EventSource hides the heartbeat comments and the status 401, and sends no bearer.
 */
export function openStream(path, { onEvent, onBeat, onLost, onSignedOut }) {
  let closed = false;
  let attempt = 0;
  let connection = null;
  let isRenewed = false;
  let wake = () => {};

  async function read(signal, alive) {
    const headers = { Accept: "text/event-stream" };
    const response = await request(path, { headers, signal });
    if (response.status === 401) return signOut();
    const type = response.headers.get("Content-Type") ?? "";
    if (!response.ok || !type.startsWith("text/event-stream")) {
      await response.body?.cancel();
      throw new Error(`stream answered ${response.status}`);
    }
    const parser = createParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || closed) return undefined;
      alive();
      onBeat();
      for (const { event, data } of parser.push(value)) if (!closed) onEvent(event, data);
    }
  }

  function signOut() {
    close();
    onSignedOut();
  }

  async function attemptOnce() {
    connection = new AbortController();
    const { signal } = connection;
    const watchdog = watch(SILENCE_MS, () => connection.abort());
    try {
      await read(signal, watchdog.beat);
    } catch {
      // Whatever broke, the answer is the same: say so and try again.
    } finally {
      watchdog.stop();
      connection.abort();
    }
  }

  async function run() {
    while (!closed) {
      await attemptOnce();
      if (closed) return;
      if (isRenewed) {
        isRenewed = false;
        continue;
      }
      onLost();
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, pauseBefore(attempt, Math.random()));
        wake = () => (clearTimeout(timer), resolve());
      });
      attempt += 1;
    }
  }

  function close() {
    closed = true;
    connection?.abort();
    window.removeEventListener("online", retry);
    wake();
  }

  function retry() {
    attempt = 0;
    wake();
  }

  window.addEventListener("online", retry);
  run();
  /** Break the connection and open another at once: what is shown has to be told anew. */
  function again() {
    isRenewed = true;
    connection?.abort();
  }

  return { close, again, settled: () => (attempt = 0) };
}

/** Call `onSilence` once after `limit` ms without `beat()`; a beat or `stop()` starts over or ends it. */
export function watch(limit, onSilence) {
  let timer = null;
  const beat = () => {
    clearTimeout(timer);
    timer = setTimeout(onSilence, limit);
  };
  beat();
  return { beat, stop: () => clearTimeout(timer) };
}
