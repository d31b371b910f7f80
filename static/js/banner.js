/** Put the banner together; the only module that knows all the others. */

import { createAnnouncer } from "./announce.js";
import { createApi } from "./api.js";
import { createCards } from "./cards.js";
import { createClock } from "./clock.js";
import { useBearer } from "./credentials.js";
import { createDismissed } from "./dismissed.js";
import { isQuiet } from "./focus.js";
import { createNotifier } from "./notify.js";
import { createOrders } from "./orders.js";
import { createPeek } from "./peek.js";
import { createProfile } from "./profile.js";
import { createSearch } from "./search.js";
import { createShortcuts } from "./shortcuts.js";
import { setBase } from "./site.js";
import { createStore, openCalls } from "./state.js";
import { joinTabs } from "./tabs.js";
import { createView } from "./view.js";

const TICK_MS = 250;

const byId = (id) => document.getElementById(id);

/**
 * Start the banner on a page that has its markup.
 * `base` is the address of the connector where that is not where this script is from; `bearer` a session's token,
 * or what returns the present one, where no cookie comes along.
 */
export function start({ base = null, bearer = null } = {}) {
  if (base !== null) setBase(base);
  useBearer(bearer);
  const clock = createClock();
  const store = createStore();
  const api = createApi(() => tabs.signedOut());
  const dismissed = createDismissed(() => view.render(store.state));
  const { announce, say } = createAnnouncer(byId("announcer"));
  const cards = createCards(api.card, () => view.redraw());
  const orders = createOrders(orderStrip(), api);
  const actions = { dials: () => store.state.dials, dial: orders.dial };
  const view = createView(clock, dismissed, {
    ...actions,
    api,
    cards,
    orders,
    say,
    now: clock.now,
    search: api.searchContacts,
    colleagues: api.colleagues,
    dismiss: dismissed.add,
    choose: async (callId, contactId) => tabs.offer(await api.chooseContact(callId, contactId)),
  });
  const search = createSearch(searchBox(), api.searchContacts, actions);
  const notify = createNotifier(notifyLine(), () => tabs.isLeader());
  const peek = createPeek(byId("peek"), view.row);
  const refresh = () => (cards.forgetAll(), tabs.refresh());
  const loadProfile = createProfile({ node: byId("profile"), select: byId("profile-select"), status: byId("profile-status") }, api, refresh);
  createShortcuts({ dialog: byId("shortcuts"), button: byId("shortcuts-button") }, keysOf(view), say);

  store.subscribe(view.render);
  store.subscribe(announce);
  store.subscribe(notify);
  store.subscribe(({ calls }) => peek(openCalls(calls).filter((call) => call.state === "ringing" && !isQuiet(call))));
  store.subscribe((state) => state.connection === "signed_out" && (search.close(), orders.clear()));
  document.addEventListener("visibilitychange", view.redraw);

  view.render(store.state);
  const tabs = joinTabs(store, clock);
  loadProfile();
  setInterval(view.tick, TICK_MS);

  // A page brought back from the history holds what was true when it was left.
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function orderStrip() {
  return { node: byId("order"), status: byId("order-status"), problem: byId("order-problem"), close: byId("order-close") };
}

function searchBox() {
  const [form, input, panel] = [byId("search"), byId("search-text"), byId("search-panel")];
  return { form, input, panel, status: byId("search-status"), list: byId("search-list") };
}

function notifyLine() {
  return { node: byId("notify"), button: byId("notify-button"), words: byId("notify-words") };
}

/** Return what each key does; false where there is nothing to do. */
function keysOf(view) {
  const { desk } = view;
  const active = () => view.calls().find((call) => desk.isActive(call.id)) ?? view.calls()[0];
  const onCard = (what) => {
    const call = active();
    if (call === undefined) return false;
    if (!desk.isActive(call.id)) desk.focus.choose(call.id);
    view.redraw();
    return desk.of(call.id)[what]();
  };

  function step(by) {
    const calls = view.calls();
    const focused = document.activeElement.closest("li:has(> [data-call])")?.querySelector("[data-call]").dataset.call;
    const at = calls.findIndex((call) => (focused === undefined ? desk.isActive(call.id) : String(call.id) === focused));
    const next = calls[focused === undefined && by > 0 ? Math.max(at, 0) : at + by];
    if (next === undefined) return false;
    desk.focus.choose(next.id);
    view.redraw();
    const headline = byId(`who-${next.id}`);
    headline.focus();
    return headline.scrollIntoView({ block: "nearest" });
  }

  return {
    "/": () => byId("search-text").focus(),
    j: () => step(1),
    k: () => step(-1),
    c: () => (active() === undefined ? false : view.row(active().id).find()),
    e: () => onCard("edit"),
    n: () => (active() === undefined ? false : view.create(active().id)),
    t: () => onCard("ticket"),
  };
}
