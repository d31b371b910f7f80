/** Give orders to the phone system, and show how the last one stands, in the connector's own words. */

import { ApiError } from "./api.js";
import { el, icon, marked, redraw } from "./dom.js";
import { telUrl } from "./shape.js";
import { t } from "./texts.js";

const LINGER_MS = 6_000;
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000];
const LOST = t(
  "The connector did not answer, so it is not known whether the phone system has done it. Look at your telephone before you try again.",
);

/**
 * Make the orders around their strip `{node, status, problem, close}`.
 * `dial(number, {callId, contactId})`, `hangUp(callId)`, `handOver(callId, telephone)`: a second click on what is under way is none.
 * A failure is shown until it is closed, by its button or Escape, or until its call's card has gone:
 * `keep(open, shown)` says of which calls cards are there.
 */
export function createOrders({ node, status, problem, close }, api) {
  let current = { what: "", isOpen: false };
  let troubled = null;
  let timer = null;
  let known = [];
  let doneWith = null;

  function show(words, trouble = [], linger = null) {
    clearTimeout(timer);
    if (trouble.length === 0) troubled = null;
    doneWith = null;
    node.hidden = !words && trouble.length === 0;
    close.hidden = trouble.length === 0;
    redraw(status, words, () => marked(words));
    problem.replaceChildren(...trouble);
    if (linger !== null) timer = setTimeout(clear, linger);
  }

  function clear() {
    if (!node.contains(document.activeElement)) return show("");
    document.querySelector("[data-slot=heading]").focus();
    return show("");
  }

  async function follow(mine, post) {
    const key = crypto.randomUUID();
    let order = await insist(() => post(key));
    while (order.is_open) {
      if (current === mine) show(order.message);
      const { id, state } = order;
      order = await insist(() => api.order(id, state));
    }
    return order;
  }

  /** Do not leave what was done with one call over another one that is there since. */
  function leaveDone(open) {
    if (doneWith !== null && open.some((call) => !doneWith.has(call.id))) clear();
  }

  function keep(open, shown) {
    known = open;
    leaveDone(open);
    if (troubled === null || troubled.callId === null) return;
    const cards = troubled.needsOpen ? open : [...open, ...shown];
    if (!cards.some((call) => call.id === troubled.callId)) clear();
  }

  async function give(what, post, { number = null, callId }) {
    if (current.isOpen && current.what === what) return;
    const mine = (current = { what, isOpen: true });
    show(t("Asking the phone system…"));
    const { words, isDone } = await follow(mine, post).then(
      (order) => ({ words: String(order.message), isDone: order.state === "done" }),
      (error) => ({ words: problemWords(error), isDone: false }),
    );
    mine.isOpen = false;
    // What came to nothing is said even if something else has been clicked and is through.
    if (current !== mine && (current.isOpen || isDone)) return;
    if (isDone) {
      show(words, [], LINGER_MS);
      doneWith = number === null ? new Set(known.map((call) => call.id)) : null;
    } else {
      troubled = { callId, needsOpen: number === null };
      show("", trouble(words, number));
    }
  }

  close.append(icon("close"));
  close.addEventListener("click", clear);
  document.addEventListener("keydown", ({ key }) => key === "Escape" && troubled !== null && clear());
  return {
    dial: (number, { callId = null, contactId = null } = {}) =>
      give(`dial ${number}`, (key) => api.dial(number, contactId, key), { number, callId }),
    hangUp: (callId) => give(`hang up ${callId}`, (key) => api.hangUp(callId, key), { callId }),
    handOver: (callId, telephone) =>
      give(`hand over ${callId}`, (key) => api.handOver(callId, telephone, key), { callId }),
    keep,
    clear: () => show(""),
  };
}

function trouble(words, number) {
  const url = number === null ? null : telUrl(number);
  const link = url && el("a", { href: url }, icon("over"), t("Dial {number} with this computer", { number }));
  return [el("span", {}, ...marked(words)), link].filter(Boolean);
}

/** Ask again as long as no answer comes: sent again under its key, an order is the same one. */
async function insist(ask) {
  for (const pause of PAUSES_MS) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status > 0 && error.status < 500)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return ask();
}

function problemWords(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0 || error.status >= 500) return LOST;
  return error.detail ?? t("The connector refused. Try again.");
}
