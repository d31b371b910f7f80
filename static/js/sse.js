/** Read a text/event-stream piece by piece. Pure: text in, events out. */

const LONGEST_LINE = 1_048_576;

/**
 * Make a parser for one connection.
 * `push(text)` returns the events that became complete: `[{event, data}]`.
 * Comments and unknown fields are dropped; a line over 1 MiB throws RangeError.
 */
export function createParser() {
  let rest = "";
  let event = "";
  let data = [];

  function take(line, out) {
    if (line === "") {
      if (data.length > 0) out.push({ event: event || "message", data: data.join("\n") });
      event = "";
      data = [];
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }

  return {
    push(text) {
      const out = [];
      rest += text;
      // A lone CR at the end may be half of a CRLF that was cut in two.
      const held = rest.endsWith("\r") ? "\r" : "";
      const lines = (held ? rest.slice(0, -1) : rest).split(/\r\n|\n|\r/);
      rest = lines.pop() + held;
      if (rest.length > LONGEST_LINE) throw new RangeError("line too long");
      for (const line of lines) take(line, out);
      return out;
    },
  };
}
