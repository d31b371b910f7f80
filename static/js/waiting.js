// Wait on a page for a phone system's first event: ask every two seconds, and stop once it was heard.

const EVERY_MS = 2000;

function slot(element, name) {
  return element.querySelector(`[data-slot="${name}"]`);
}

function show(element, told) {
  const unread = slot(element, "unread");
  unread.textContent = told.unread_reason ? `${unread.dataset.text} ${told.unread_reason}` : "";
  if (!told.last_at || told.last_at <= element.dataset.after) return false;
  const state = slot(element, "state");
  state.textContent = state.dataset.heard;
  state.dataset.state = "good";
  slot(element, "hint").hidden = true;
  return true;
}

async function ask(element) {
  try {
    const answer = await fetch(element.dataset.waits, { headers: { Accept: "application/json" } });
    if (answer.status === 401 || answer.status === 404) return true;
    return answer.ok && show(element, await answer.json());
  } catch {
    // The connector restarts, or the network is away: the next question may be answered.
    return false;
  }
}

async function wait(element) {
  const is_over = document.visibilityState === "visible" && (await ask(element));
  if (!is_over) setTimeout(() => wait(element), EVERY_MS);
}

for (const element of document.querySelectorAll("[data-waits]")) {
  if (slot(element, "state").dataset.state !== "good") wait(element);
}
