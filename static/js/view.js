/** Show the state of the page: calls, what is empty, how the connection stands. */

import { createCard } from "./card.js";
import { createDesk } from "./desk.js";
import { createEnded } from "./ended.js";
import { keyed, setText } from "./dom.js";
import { isQuiet } from "./focus.js";
import { endedCalls, openCalls } from "./state.js";
import { t } from "./texts.js";
import { clockTime, duration, emptyWords, linkWords, titleWords } from "./words.js";

const CONNECTIONS = {
  connecting: t("Connecting…"),
  live: t("Connected"),
  reconnecting: t("Reconnecting…"),
  signed_out: t("Signed out"),
};

/**
 * Make the view: `render(state)` draws all, `tick()` moves the timers; `calls()` are those that are shown, `row(id)`
 * what shows one, `card(id)` its card. Clicks go to `actions`.
 */
export function createView(clock, dismissed, given) {
  const marked = [...document.querySelectorAll("[data-slot]")];
  const slots = Object.fromEntries(marked.map((node) => [node.dataset.slot, node]));
  let lastLive = null;
  let shown = [];
  let open = [];
  let last = null;
  const actions = { ...given, isActive: (id) => desk.isActive(id), shows: (call) => call.pop !== null && !desk.isActive(call.id), show, create, rerender: () => render(last) };
  const desk = createDesk(actions);
  slots.clear.addEventListener("click", () => {
    actions.dismiss(shown.map((call) => call.id).filter((id) => !desk.hasWork(id)));
    slots.heading.focus();
  });

  /** Give a call the focus, so that its card shows. */
  function show(id) {
    desk.focus.choose(id);
    render(last);
    desk.of(id).focus();
  }

  function create(id) {
    desk.focus.choose(id);
    render(last);
    return desk.of(id).create();
  }

  function render(state) {
    last = state;
    const { connection } = state;
    document.body.dataset.connection = connection;
    const ringing = openCalls(state.calls).filter((call) => call.state === "ringing" && !isQuiet(call));
    document.title = titleWords(ringing, connection);
    const isLost = state.links.lost.length > 0;
    document.body.toggleAttribute("data-unlinked", isLost);
    setText(slots.connection, connection === "live" && isLost ? t("Desk not linked") : CONNECTIONS[connection]);
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
    if (state.connection === "signed_out") desk.clear();
    const held = desk.held(Object.values(state.calls)).filter((call) => !dismissed.has(call.id));
    shown = [...held, ...endedCalls(state.calls).filter((call) => !dismissed.has(call.id))];
    open = openCalls(state.calls);
    actions.orders.keep(open, shown);
    const calls = [...open, ...shown];
    const active = desk.pick(calls);
    keyed(slots.open, open, (call) => createCard(call, actions));
    keyed(slots["ended-list"], shown, (call) => createEnded(call, actions, dismissOne));
    desk.place(calls, (id) => rowOf(id).node);
    slots.ended.hidden = shown.length === 0;
    slots.calls.toggleAttribute("data-wide", open.length > 0 || active !== null);
  }

  const rowOf = (id) => slots.open.rows?.get(id) ?? slots["ended-list"].rows?.get(id);

  function dismissOne(id) {
    const at = shown.findIndex((call) => call.id === id);
    const next = shown[at + 1] ?? shown[at - 1];
    actions.dismiss([id]);
    (next ? document.querySelector(`[data-call="${next.id}"] .dismiss`) : slots.heading).focus();
  }

  /** When the focused card goes away or becomes an ended one, take the focus along instead of losing it. */
  function keepFocus(draw) {
    const focused = document.activeElement;
    const row = focused?.closest("li:has(> [data-call])");
    const id = row?.querySelector("[data-call]").dataset.call;
    const top = focused?.getBoundingClientRect().top;
    const selected = id !== undefined && typeof focused.selectionStart === "number" ? [focused.selectionStart, focused.selectionEnd] : null;
    draw();
    if (id === undefined) return;
    if (document.activeElement === document.body) {
      const kept = focused.isConnected ? focused : (document.getElementById(`who-${id}`) ?? slots.heading);
      kept.focus({ preventScroll: true });
      if (selected !== null && kept === focused) focused.setSelectionRange(...selected);
    }
    if (focused.isConnected && isWriting(focused)) scrollBy(0, focused.getBoundingClientRect().top - top);
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

  return { render, tick, desk, calls: () => [...open, ...shown], row: rowOf, create, redraw: () => last !== null && render(last) };
}

/** Tell whether something is being written: then it stays where it is in sight, whatever comes above it. */
export const isWriting = (node) => node.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
