// The form: a picture that is dropped, chosen or pasted goes to the gateway, as any client's would.

import { byId, glyph, html, keyPicture, svg, table } from "./elements.js";
import { authorization } from "./stream.js";
import { PLACES, joules, milliseconds, percent, source, spaced } from "./words.js";

/** No deadline of a gateway is further away. */
const PATIENCE_MS = 65000;

let picture = null;
let shownUrl = null;
let asking = false;

/** Wires the form; `onUnauthorized` asks for a token. */
export function startClassifying(onUnauthorized) {
  const [file, drop] = [byId("file"), byId("drop")];
  file.addEventListener("change", () => take(file.files[0], onUnauthorized));
  byId("try").addEventListener("submit", event => {
    event.preventDefault();
    ask(onUnauthorized);
  });
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, () => drop.classList.add("over"));
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  // A picture that misses the area would otherwise be opened in place of the page.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, event => event.preventDefault());
  document.addEventListener("drop", event => take(event.dataTransfer?.files[0], onUnauthorized));
  document.addEventListener("paste", event => take([...event.clipboardData.files][0], onUnauthorized));
}

/** Offers these networks; the chosen one stays chosen. */
export function offerModels(names) {
  const select = byId("model");
  if (!names.length) {
    select.replaceChildren(html("option", { value: "", text: "none is served" }));
    return enable();
  }
  if ([...select.options].map(option => option.value).join() === names.join()) return;
  const chosen = select.value;
  select.replaceChildren(...names.map(name => html("option", { value: name, text: name })));
  if (names.includes(chosen)) select.value = chosen;
  enable();
}

function enable() {
  byId("send").disabled = asking || !picture || !byId("model").value;
}

function take(file, onUnauthorized) {
  if (!file) return;
  picture = file;
  if (shownUrl) URL.revokeObjectURL(shownUrl);
  shownUrl = URL.createObjectURL(file);
  const preview = byId("preview");
  preview.src = shownUrl;
  preview.alt = `The picture ${file.name}`;
  preview.hidden = false;
  byId("drop-text").replaceChildren(html("strong", { text: file.name || "A pasted picture" }), html("span", { text: "drop, choose or paste another" }));
  enable();
  ask(onUnauthorized);
}

async function ask(onUnauthorized) {
  if (asking || !picture) return;
  if (!byId("model").value) return refuse("No network is served here now.");
  if (!byId("try").reportValidity()) return;
  asking = true;
  enable();
  say(html("p", { class: "quiet", text: "Classifying…" }));
  byId("answer-details").replaceChildren();
  try {
    const path = `/v1/infer/${encodeURIComponent(byId("model").value)}?latency_ms=${encodeURIComponent(byId("limit").value)}`;
    const response = await fetch(path, {
      method: "POST", body: picture, signal: AbortSignal.timeout(PATIENCE_MS),
      headers: { "Content-Type": picture.type || "application/octet-stream", ...authorization() },
    });
    const said = await response.json();
    if (response.status === 401) onUnauthorized();
    if (response.ok) answer(said);
    else refuse(said.error ?? `The gateway answers ${response.status}.`);
  } catch (error) {
    refuse(error.name === "TimeoutError" ? "No answer within 65 s." : "The gateway does not answer.");
  } finally {
    asking = false;
    enable();
  }
}

const say = (...content) => byId("answer").replaceChildren(...content);
const refuse = text => say(html("p", { class: "problem", text }));

function answer(reply) {
  const [best] = reply.top;
  const outcome = reply.within_limit ? "within" : "late";
  const why = spaced(reply.fallback ?? reply.reason ?? reply.policy);
  say(
    html("p", { class: "label", text: best ? `${best.label}, ${percent(best.probability)}` : "No class" }),
    html("p", {}, keyPicture(glyph(outcome, 7, 7, 4)),
      ` ${milliseconds(reply.latency_ms)}, ${outcome === "within" ? "within" : "late for"} the limit of ${milliseconds(reply.limit_ms)}`),
    html("p", { class: "lines", text: `${inWords(reply.configuration)}: ${why}` }),
  );
  byId("answer-details").replaceChildren(guesses(reply.top.slice(1)), ...stages(reply.stages), ...energy(reply.energy));
}

function inWords(configuration) {
  const parts = [`Cut ${configuration.cut}`];
  if (configuration.codec && configuration.codec !== "f32") parts.push(`in ${configuration.codec}`);
  if (configuration.edge_frequency_khz) parts.push(`at ${Math.round(configuration.edge_frequency_khz / 1000)} MHz`);
  if (configuration.edge_threads) parts.push(`on ${configuration.edge_threads} edge threads`);
  return parts.join(" ");
}

function guesses(top) {
  return html("ul", { class: "guesses" }, ...top.map(guess => html("li", {},
    html("span", { text: guess.label }),
    html("i", { "aria-hidden": "true" }, html("span", { "width%": 100 * guess.probability })),
    html("span", { text: percent(guess.probability) }))));
}

function stages(list) {
  if (!list.length) return [];
  const longest = Math.max(...list.map(stage => stage.time_ms), 1e-9);
  const element = html("table");
  const where = stage => stage.source === "measured" ? stage.place : `${stage.place}, ${source(stage.source)}`;
  table(element, "Times by stage", [["Stage", ""], ["Where", ""], ["Share", ""], ["Time", "number"]], list.map(stage =>
    [spaced(stage.stage), where(stage), bar(stage.time_ms / longest, stage.place), milliseconds(stage.time_ms)]));
  return [html("h3", { text: "Time by stage" }), html("div", { class: "table" }, element)];
}

function bar(share, place) {
  return svg("svg", { width: 60, height: 8, viewBox: "0 0 60 8", "aria-hidden": "true" },
    svg("rect", { width: Math.max(1, 60 * share), height: 8, rx: 2, class: `fill-${place}` }));
}

function energy(entries) {
  if (!entries.length) return [html("p", { class: "lines", text: "Nothing measures or models the energy here." })];
  const element = html("table");
  const sorted = PLACES.flatMap(place => entries.filter(entry => entry.place === place));
  table(element, "Joules by place", [["Place", ""], ["Source", ""], ["Joules", "number"]],
    sorted.map(entry => [entry.place, source(entry.source), joules(entry.joules)]));
  return [html("h3", { text: "Joules by place" }), html("div", { class: "table" }, element)];
}
