/** Show desktop notifications of ringing calls, only after the agent asked for them in this browser. */

import { setText } from "./dom.js";
import { at } from "./site.js";
import { t } from "./texts.js";
import { isQuiet } from "./focus.js";
import { contactOf, lineFacts, whoOf } from "./words.js";

const KEY = "connector.notify";

/**
 * Make the notifier around the setting's `{node, button, words}`; give it each state.
 * Only the leading tab shows any (`isLeader()`), and only while the agent looks elsewhere.
 */
export function createNotifier({ node, button, words }, isLeader) {
  const shown = new Map();
  const supported = "Notification" in window;
  const on = () => supported && Notification.permission === "granted" && localStorage.getItem(KEY) === "on";

  async function press() {
    if (on()) localStorage.setItem(KEY, "off");
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEY, "on");
    draw();
  }

  function draw() {
    node.hidden = !supported;
    if (!supported) return;
    const blocked = Notification.permission === "denied";
    setText(words, blocked ? t("Desktop notifications: blocked in the browser's settings") : t("Desktop notifications"));
    button.hidden = blocked;
    setText(button, on() ? t("Turn off") : t("Turn on"));
    if (!on()) for (const id of [...shown.keys()]) close(id);
  }

  function show(call) {
    if (shown.get(call.id)?.who === whoOf(call)) return;
    if (!shown.has(call.id) && document.hasFocus()) return;
    const body = [contactOf(call)?.account, ...lineFacts(call)].filter(Boolean).join(" · ");
    const notification = new Notification(whoOf(call), { body, tag: `call-${call.id}`, icon: at("/static/favicon.svg") });
    notification.addEventListener("click", () => (window.focus(), notification.close()));
    shown.set(call.id, { who: whoOf(call), notification });
  }

  function close(id) {
    shown.get(id)?.notification.close();
    shown.delete(id);
  }

  button.addEventListener("click", press);
  window.addEventListener("storage", ({ key }) => key === KEY && draw());
  draw();
  return function notify(state) {
    const ringing = Object.values(state.calls).filter((call) => call.state === "ringing" && !isQuiet(call));
    const ids = new Set(ringing.map((call) => call.id));
    for (const id of [...shown.keys()]) if (!ids.has(id)) close(id);
    if (on() && isLeader()) for (const call of ringing.filter((one) => one.direction !== "outbound")) show(call);
  };
}
