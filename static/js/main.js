/** Put the page together; the only module that knows all the others. */

import { createAnnouncer } from "./announce.js";
import { createApi } from "./api.js";
import { createClock } from "./clock.js";
import { createDismissed } from "./dismissed.js";
import { createNotifier } from "./notify.js";
import { createOrders } from "./orders.js";
import { createSearch } from "./search.js";
import { createStore } from "./state.js";
import { joinTabs } from "./tabs.js";
import { createView } from "./view.js";

const TICK_MS = 250;

const byId = (...ids) => ids.map((id) => document.getElementById(id));

const clock = createClock();
const store = createStore();
const api = createApi(() => tabs.signedOut());
const dismissed = createDismissed(() => view.render(store.state));
const ids = ["order", "order-status", "order-problem", "order-close"];
const [orderNode, orderStatus, orderProblem, orderClose] = byId(...ids);
const orderStrip = { node: orderNode, status: orderStatus, problem: orderProblem, close: orderClose };
const orders = createOrders(orderStrip, api);
const actions = { dials: () => store.state.dials, dial: orders.dial };
const view = createView(clock, dismissed, {
  ...actions,
  orders,
  colleagues: api.colleagues,
  dismiss: dismissed.add,
  choose: async (callId, contactId) => tabs.offer(await api.chooseContact(callId, contactId)),
});

const [announcer, notifyNode, notifyButton, notifyWords] = byId("announcer", "notify", "notify-button", "notify-words");
const [form, input, panel, status, list] = byId("search", "search-text", "search-panel", "search-status", "search-list");
const search = createSearch({ form, input, panel, status, list }, api.searchContacts, actions);
const notify = createNotifier({ node: notifyNode, button: notifyButton, words: notifyWords }, () => tabs.isLeader());

store.subscribe(view.render);
store.subscribe(createAnnouncer(announcer));
store.subscribe(notify);
store.subscribe((state) => state.connection === "signed_out" && (search.close(), orders.clear()));

view.render(store.state);
const tabs = joinTabs(store, clock);
setInterval(view.tick, TICK_MS);

// A page brought back from the history holds what was true when it was left.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
