/** Remember in this browser which ended calls the agent has dismissed. */

const KEY = "connector.dismissed";
const KEPT = 200;

/** Make the memory: `has(id)`, `add(ids)`; `onChange()` also when another tab adds. */
export function createDismissed(onChange) {
  window.addEventListener("storage", ({ key }) => key === KEY && onChange());
  return {
    has: (id) => read().includes(id),
    add(ids) {
      localStorage.setItem(KEY, JSON.stringify([...read(), ...ids].slice(-KEPT)));
      onChange();
    },
  };
}

function read() {
  try {
    const ids = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? ids : [];
  } catch {
    return [];
  }
}
