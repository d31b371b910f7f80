/** Say the banner's texts in the reader's language: the page brings them as JSON, English where it does not. */

const MARKED = "en-XA";
const PLACE = /\{(\w+)\}/g;

const node = document.getElementById("texts");
const texts = node === null ? {} : JSON.parse(node.textContent);
const isMarked = document.documentElement.lang === MARKED;

/** Return a text in the reader's language; `values` fill its places, such as {name}. */
export function t(text, values = {}) {
  return fill(typeof texts[text] === "string" ? texts[text] : text, values);
}

/** Return the text for a number of things, which fills {count}. */
export function n(one, many, count, values = {}) {
  const forms = Array.isArray(texts[one]) ? texts[one] : [one, many];
  return fill(forms[count === 1 ? 0 : 1], { count, ...values });
}

function fill(text, values) {
  const filled = text.replace(PLACE, (place, name) => (Object.hasOwn(values, name) ? String(values[name]) : place));
  return isMarked ? `⟦${filled}⟧` : filled;
}
