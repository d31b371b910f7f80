/** Let the agent say in which profile they work, where they have several. */

import { el, setText } from "./dom.js";
import { t } from "./texts.js";

/** Make the switch in `{node, select, status}`; `onSwitched()` has everything told anew. */
export function createProfile({ node, select, status }, api, onSwitched) {
  let active = null;

  function draw({ active: present, profiles }) {
    active = String(present?.id ?? "");
    node.hidden = profiles.length < 2;
    select.replaceChildren(...profiles.map(({ id, name }) => el("option", { value: String(id ?? "") }, name)));
    select.value = active;
  }

  async function change() {
    const wanted = select.value;
    setText(status, "");
    try {
      draw(await api.switchProfile(wanted === "" ? null : Number(wanted)));
      onSwitched();
    } catch {
      select.value = active;
      setText(status, t("The profile was not changed. Try again."));
    }
  }

  select.addEventListener("change", change);
  return async function load() {
    try {
      draw(await api.profiles());
    } catch {
      // A connector without profiles, or one that does not answer: there is nothing to switch.
      node.hidden = true;
    }
  };
}
