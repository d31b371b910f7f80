/** Let all tabs of one browser share one stream: one tab leads (Web Locks), the others listen (BroadcastChannel). */

import { at } from "./site.js";
import { openStream, watch } from "./stream.js";

const EVENTS = ["snapshot", "call", "gone", "links"];
const HELLO_MS = 5_000;
const LEADER_SILENCE_MS = 55_000;

/**
 * Join the other tabs and keep `store` fed, as leader or follower.
 * Returns `{signedOut(), offer(view), refresh(), isLeader()}`: inform all tabs of a refused session, or of a
 * newer view; have everything told anew.
 * Without Web Locks or BroadcastChannel the tab leads itself alone.
 */
export function joinTabs(store, clock) {
  const shared = `connector-banner${at("")}`;
  const alone = !("locks" in navigator) || !("BroadcastChannel" in window);
  const channel = alone ? { postMessage() {} } : new BroadcastChannel(shared);
  let stream = null;
  let leave = () => {};
  let queue = null;
  let watchdog = null;

  const tellState = () => channel.postMessage({ kind: "state", now: clock.now(), state: store.state });

  function dispatchAndTell(action) {
    store.dispatch(action);
    if (stream) tellState();
  }

  function onEvent(name, text) {
    if (name === "signed_out") return signedOut();
    const data = parse(text);
    if (data === undefined || !EVENTS.includes(name)) return undefined;
    if (name === "snapshot") {
      clock.sync(data?.now);
      stream.settled();
    }
    return dispatchAndTell({ type: name, data });
  }

  function lead() {
    watchdog?.stop();
    store.dispatch({ type: "connection", connection: "connecting" });
    stream = openStream("/api/banner/stream", {
      onEvent,
      onBeat: () => channel.postMessage({ kind: "beat" }),
      onLost: () => dispatchAndTell({ type: "connection", connection: "reconnecting" }),
      onSignedOut: signedOut,
    });
    tellState();
    return new Promise((resolve) => (leave = resolve)).finally(stepDown);
  }

  function stepDown() {
    stream?.close();
    stream = null;
  }

  async function stand(options) {
    try {
      await navigator.locks.request(shared, options, lead);
    } catch (error) {
      // Robbed of the lock by a tab that took this one for dead: listen like the others.
      const robbed = stream !== null;
      stepDown();
      if (robbed) listen();
      else if (error.name !== "AbortError") throw error;
    }
  }

  function listen(limit = LEADER_SILENCE_MS) {
    queue = new AbortController();
    watchdog = watch(limit, takeOver);
    stand({ signal: queue.signal });
  }

  function takeOver() {
    store.dispatch({ type: "connection", connection: "reconnecting" });
    queue?.abort();
    stand({ steal: true });
  }

  function start() {
    if (alone) return lead();
    listen(HELLO_MS);
    return channel.postMessage({ kind: "hello" });
  }

  function stop() {
    store.dispatch({ type: "signed_out" });
    watchdog?.stop();
    queue?.abort();
    stepDown();
    leave();
  }

  function signedOut() {
    if (store.state.connection === "signed_out") return;
    channel.postMessage({ kind: "signed_out" });
    stop();
  }

  function follow({ now, state }) {
    const wasOut = store.state.connection === "signed_out";
    if (wasOut && state.connection !== "live") return;
    clock.sync(now);
    store.dispatch({ type: "shared", state });
    if (wasOut) listen();
    else heard();
  }

  function heard() {
    watchdog?.stop();
    watchdog = watch(LEADER_SILENCE_MS, takeOver);
  }

  function onMessage({ data }) {
    if (data.kind === "signed_out") stop();
    else if (stream && data.kind === "hello") tellState();
    else if (stream && data.kind === "refresh") stream.again();
    else if (stream && data.kind === "offer") dispatchAndTell({ type: "call", data: data.view });
    else if (!stream && data.kind === "beat" && store.state.connection !== "signed_out") heard();
    else if (!stream && data.kind === "state") follow(data);
  }

  if (!alone) channel.addEventListener("message", onMessage);
  start();
  return {
    signedOut,
    isLeader: () => stream !== null,
    refresh: () => (stream ? stream.again() : channel.postMessage({ kind: "refresh" })),
    offer(view) {
      dispatchAndTell({ type: "call", data: view });
      if (!stream) channel.postMessage({ kind: "offer", view });
    },
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
