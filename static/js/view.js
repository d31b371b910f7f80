/** Show the state of the page: calls, what is empty, how the connection stands. */

import { createCard } from "./card.js";
import { createEnded } from "./ended.js";
import { keyed, setText } from "./dom.js";
import { endedCalls, openCalls } from "./state.js";
import { clockTime, duration, emptyWords, linkWords, titleWords } from "./words.js";

const CONNECTIONS = {
  connecting: "Connecting…",
  live: "Connected",
  reconnecting: "Reconnecting…",
  signed_out: "Signed out",
};

/** Make the view: `render(state)` draws all, `tick()` moves the timers. Clicks go to `actions`. */
export function createView(clock, dismissed, actions) {
  const marked = [...document.querySelectorAll("[data-slot]")];
  const slots = Object.fromEntries(marked.map((node) => [node.dataset.slot, node]));
  let lastLive = null;
  let shown = [];
  slots.clear.addEventListener("click", () => {
    actions.dismiss(shown.map((call) => call.id));
    slots.heading.focus();
  });

  function render(state) {
    const { connection } = state;
    document.body.dataset.connection = connection;
    const ringing = openCalls(state.calls).filter((call) => call.state === "ringing");
    document.title = titleWords(ringing, connection);
    const isLost = state.links.lost.length > 0;
    document.body.toggleAttribute("data-unlinked", isLost);
    setText(slots.connection, connection === "live" && isLost ? "Desk not linked" : CONNECTIONS[connection]);
    renderLinks(state);
    if (state.agent?.name) setText(slots.agent, String(state.agent.name));
    slots["signed-out"].hidden = connection !== "signed_out";
    slots.calls.hidden = connection === "signed_out";
    renderLost(connection);
    keepFocus(() => renderCalls(state));
    renderEmpty(state);
    tick();
  }

  function renderLinks({ links, agent }) {
    const isLinker = agent?.role === "administrator";
    const { headline, words } = linkWords(links, isLinker);
    setText(slots["unlinked-headline"], headline);
    setText(slots["unlinked-words"], words);
    slots["unlinked-link"].hidden = !isLinker || headline === "";
    slots.unlinked.toggleAttribute("data-lost", headline !== "");
  }

  function renderLost(connection) {
    if (connection === "live") lastLive = null;
    else lastLive ??= clock.now();
    slots.lost.hidden = connection !== "reconnecting";
    if (lastLive !== null) setText(slots.since, clockTime(lastLive, true));
  }

  function renderCalls(state) {
    shown = endedCalls(state.calls).filter((call) => !dismissed.has(call.id));
    const open = openCalls(state.calls);
    actions.orders.keep(open, shown);
    keyed(slots.open, open, (call) => createCard(call, actions));
    keyed(slots["ended-list"], shown, (call) => createEnded(call, actions, dismissOne));
    slots.ended.hidden = shown.length === 0;
  }

  function dismissOne(id) {
    const at = shown.findIndex((call) => call.id === id);
    const next = shown[at + 1] ?? shown[at - 1];
    actions.dismiss([id]);
    (next ? document.querySelector(`[data-call="${next.id}"] .dismiss`) : slots.heading).focus();
  }

  /** When the focused card goes away or becomes an ended one, take the focus along instead of losing it. */
  function keepFocus(draw) {
    const id = document.activeElement?.closest("[data-call]")?.dataset.call;
    draw();
    if (id === undefined || document.activeElement !== document.body) return;
    (document.getElementById(`who-${id}`) ?? slots.heading).focus({ preventScroll: true });
  }

  function renderEmpty({ connection, calls, links, agent }) {
    const isLive = connection === "live";
    const isLinker = agent?.role === "administrator";
    const { title, words } = emptyWords(links, isLinker);
    slots.empty.hidden = openCalls(calls).length > 0 || connection === "reconnecting";
    slots.empty.toggleAttribute("data-small", shown.length > 0);
    setText(slots["empty-title"], isLive ? title : "Connecting…");
    setText(slots["empty-words"], isLive ? words : "");
    for (const step of slots.steps.children) step.hidden = !links.missing.includes(step.dataset.step);
    slots.steps.hidden = !isLive || !isLinker || links.missing.length === 0;
  }

  function tick() {
    if (document.body.dataset.connection !== "live") return;
    for (const timer of slots.open.querySelectorAll("[data-since]")) {
      if (timer.dataset.since) setText(timer, duration((clock.now() - Number(timer.dataset.since)) / 1000));
    }
  }

  return { render, tick };
}
