/** The state of the page: a pure reducer over the stream's events, and a store around it. */

import { toCall, toLinks } from "./shape.js";

const ENDED_KEPT = 20;
const GONE_KEPT = 200;

/**
 * The state: `connection` connecting | live | reconnecting | signed_out, `agent` or null,
 * `dials` whether the agent has a telephone that can be made to call,
 * `links` the portals that are `lost` until linked again, what is `missing` of the set-up, and the `linkers` who can,
 * `calls` by id, and `gone` by id (`{revision, reason}`), so that a late event brings nothing back.
 */
export const START = Object.freeze({
  connection: "connecting",
  agent: null,
  dials: false,
  links: toLinks(null),
  calls: {},
  gone: {},
});

const reducers = { snapshot, call, gone, links, connection, shared, signed_out: signedOut };

/** Return the state after `action` (`{type, ...}`); the same object if the action changes nothing or is unreadable. */
export function reduce(state, action) {
  return Object.hasOwn(reducers, action.type) ? reducers[action.type](state, action) : state;
}

function snapshot(state, { data }) {
  if (!Array.isArray(data?.calls)) return state;
  const calls = byId(data.calls.map(toCall).filter(Boolean));
  const { agent = state.agent, dials } = data;
  const known = { agent, dials: dials === true, links: toLinks(data.links) };
  return { connection: "live", ...known, calls: tidy(calls), gone: {} };
}

function call(state, { data }) {
  const view = toCall(data);
  const known = view && Math.max(revisionIn(state.calls, view.id), revisionIn(state.gone, view.id));
  if (!view || view.revision <= known) return state;
  return { ...state, calls: tidy({ ...state.calls, [view.id]: view }), gone: without(state.gone, view.id) };
}

function gone(state, { data }) {
  const { id, revision, reason } = data ?? {};
  if (!Number.isInteger(id) || !Number.isInteger(revision)) return state;
  if (revision < revisionIn(state.calls, id)) return state;
  const noted = Object.entries({ ...without(state.gone, id), [id]: { revision, reason } });
  return { ...state, calls: without(state.calls, id), gone: Object.fromEntries(noted.slice(-GONE_KEPT)) };
}

function links(state, { data }) {
  return { ...state, links: toLinks(data) };
}

function connection(state, action) {
  return state.connection === action.connection ? state : { ...state, connection: action.connection };
}

function shared(_state, action) {
  // The other tab may have been opened by another version of the connector.
  return { ...START, ...action.state };
}

function signedOut() {
  return { ...START, connection: "signed_out" };
}

const revisionIn = (table, id) => (Object.hasOwn(table, id) ? table[id].revision : -1);
const byId = (views) => Object.fromEntries(views.map((view) => [view.id, view]));

function without(table, id) {
  const { [id]: _dropped, ...rest } = table;
  return rest;
}

/** Keep every open call and the newest ended ones: the page stays open for days. */
function tidy(calls) {
  const ended = endedCalls(calls);
  return ended.slice(ENDED_KEPT).reduce((kept, view) => without(kept, view.id), calls);
}

/** Return the open calls: ringing ones first, the newest of each on top. */
export function openCalls(calls) {
  const rank = (view) => (view.state === "ringing" ? 0 : 1);
  return Object.values(calls)
    .filter((view) => view.state !== "ended")
    .sort((a, b) => rank(a) - rank(b) || b.startedAt - a.startedAt || b.id - a.id);
}

/** Return the ended calls, the latest end on top. */
export function endedCalls(calls) {
  return Object.values(calls)
    .filter((view) => view.state === "ended")
    .sort((a, b) => b.endedAt - a.endedAt || b.id - a.id);
}

/** Make the store: `dispatch(action)` reduces and calls every subscriber with `(state, before)`. */
export function createStore() {
  const subscribers = [];
  const store = {
    state: START,
    subscribe: (subscriber) => subscribers.push(subscriber),
    dispatch(action) {
      const before = store.state;
      store.state = reduce(before, action);
      if (store.state !== before) for (const subscriber of subscribers) tell(subscriber, store.state, before);
    },
  };
  return store;
}

/** A subscriber that breaks is reported and harms neither the others nor the stream. */
function tell(subscriber, state, before) {
  try {
    subscriber(state, before);
  } catch (error) {
    reportError(error);
  }
}
