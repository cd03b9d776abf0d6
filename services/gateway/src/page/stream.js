// Follows /v1/events. By fetch rather than EventSource, which can send no token.

/** Events are some ten KB; what grows beyond this is not one of ours. */
const GREATEST_EVENT = 4 * 1024 * 1024;
/** A state comes each second; a stream that says nothing for so long is dead. */
const SILENCE_MS = 10000;
const FIRST_PAUSE_MS = 500;
const GREATEST_PAUSE_MS = 8000;

let token = sessionStorage.getItem("splinter-token");

/** Keeps a token until the tab is closed. */
export function useToken(text) {
  token = text;
  sessionStorage.setItem("splinter-token", text);
}

/** The headers that every request to the gateway has. */
export const authorization = () => token ? { Authorization: `Bearer ${token}` } : {};

/**
 * Follows for ever: `onEvent(name, data)` for each event, `onStatus(state, text)` when the connection changes, and
 * `onToken(wasWrong)` gives a promise of when to try again with a token.
 */
export async function follow({ onEvent, onStatus, onToken }) {
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    let why;
    try {
      why = await once(onEvent, () => {
        pause = FIRST_PAUSE_MS;
        onStatus("live", "Live");
      });
    } catch (error) {
      why = { text: "The gateway does not answer" };
    }
    if (why.unauthorized) {
      onStatus("waiting", "Waiting for a token");
      await onToken(Boolean(token));
      continue;
    }
    onStatus("gone", `${why.text}, trying again`);
    await new Promise(done => setTimeout(done, pause));
    pause = Math.min(pause * 2, GREATEST_PAUSE_MS);
  }
}

async function once(onEvent, onOpen) {
  const controller = new AbortController();
  let silence = setTimeout(() => controller.abort(), SILENCE_MS);
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => controller.abort(), SILENCE_MS);
  };
  try {
    const response = await fetch("/v1/events", {
      headers: { Accept: "text/event-stream", ...authorization() }, cache: "no-store", signal: controller.signal,
    });
    if (response.status === 401) return { unauthorized: true };
    if (!response.ok) {
      const said = await response.json().catch(() => ({}));
      return { text: said.kind === "overloaded" ? "Too many pages are open" : `The gateway answers ${response.status}` };
    }
    onOpen();
    await read(response.body.pipeThrough(new TextDecoderStream()).getReader(), onEvent, heard);
    return { text: "The gateway has left" };
  } finally {
    clearTimeout(silence);
    controller.abort();
  }
}

async function read(reader, onEvent, heard) {
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    buffer += value;
    if (buffer.length > GREATEST_EVENT) throw new Error("an event without an end");
    const events = buffer.split("\n\n");
    buffer = events.pop();
    for (const text of events) dispatch(text, onEvent);
  }
}

function dispatch(text, onEvent) {
  let name = "message";
  let data = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (!data) return;
  try {
    onEvent(name, JSON.parse(data));
  } catch (error) {
    // One event that cannot be shown must not end the stream; the browser's console says why.
    reportError(error);
  }
}
