/** Say at the top of the window who rings, while their card is out of sight: whoever writes further down sees it. */

import { pressable, redraw } from "./dom.js";
import { t } from "./texts.js";
import { whoOf } from "./words.js";

/** Make the strip in `node`: give it each list of calls that ring; `row(id)` returns what shows one. */
export function createPeek(node, row) {
  const out = new Map();
  let calls = [];
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) out.set(target, !isIntersecting);
    draw();
  });

  const cardOf = (call) => row(call.id)?.node.firstElementChild;

  function go(call) {
    cardOf(call)?.scrollIntoView({ block: "nearest" });
    document.getElementById(`who-${call.id}`)?.focus({ preventScroll: true });
  }

  function draw() {
    const unseen = calls.filter((call) => out.get(cardOf(call)) === true);
    node.hidden = unseen.length === 0;
    redraw(node, unseen.map((call) => [call.id, whoOf(call), call.queue]), () => unseen.map(toButton));
  }

  function toButton(call) {
    const words = call.queue ? t("{who} rings, queue {queue}", { who: whoOf(call), queue: call.queue }) : t("{who} rings", { who: whoOf(call) });
    return pressable("peek-call", () => go(call), {}, words);
  }

  return function peek(ringing) {
    calls = ringing;
    const cards = new Set(calls.map(cardOf).filter(Boolean));
    for (const card of out.keys()) if (!cards.has(card)) (watcher.unobserve(card), out.delete(card));
    for (const card of cards) if (!out.has(card)) (out.set(card, false), watcher.observe(card));
    draw();
  };
}
