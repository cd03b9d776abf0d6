// The front as a scatter plot: latency against joules. Points that requests chose in the last minute are filled, and one
// that is chosen now sends out a ring.

import { byId, glyph, html, keyEntry, keyPicture, onWidth, svg, table } from "./elements.js";
import { age, count, joules, milliseconds, percent, round, several, source } from "./words.js";

const HEIGHT = 320;
const EDGES = { left: 52, right: 14, top: 12, bottom: 40 };
const MINUTE_MS = 60000;
/** Rings at once: more of them are a blur. */
const GREATEST_RINGS = 24;
/** Requests that are drawn as dots. */
const GREATEST_DOTS = 120;
/** A span of more than this factor is drawn in powers of ten. */
const LOGARITHMIC_FROM = 30;

let fronts = [];
let chosenId = null;
let requests = [];
let now = Date.now();
let width = 0;
let places = new Map();
// What is drawn anew each time, and the rings, which are left alone: an element that moves begins its animation again.
const drawn = svg("g");
const rings = svg("g");
const picture = svg("svg", { height: HEIGHT, "aria-hidden": "true" }, drawn, rings);

export function startFront() {
  onWidth(byId("front-chart"), to => {
    width = to;
    rings.replaceChildren();
    draw();
  });
  byId("front-select").addEventListener("change", event => {
    chosenId = event.target.value;
    rings.replaceChildren();
    draw();
    drawTable();
  });
  const key = (shape, text) => keyEntry(keyPicture(shape), text);
  byId("front-key").replaceChildren(
    key(svg("circle", { cx: 7, cy: 7, r: 5, class: "mark chosen" }), "chosen in the last minute"),
    key(svg("circle", { cx: 7, cy: 7, r: 5, class: "mark" }), "not chosen"),
    key(square(7, 7, "mark base"), "all in the cloud"),
    key(diamond(7, 7, "mark base"), "all on the edge"),
    key(glyph("within", 7, 7, 3, "dot"), "a request as it came out"),
  );
}

/** The last cut of the network whose front is shown. */
export const shownLastCut = () => shown()?.last_cut ?? null;

export function showFronts(list) {
  fronts = list;
  const select = byId("front-select");
  select.replaceChildren(...fronts.map(front =>
    html("option", { value: front.id, text: `${front.model}: ${front.edge} and ${front.cloud}` })));
  byId("front-choice").hidden = fronts.length < 2;
  const followed = fronts.find(front => front.id === chosenId) ?? fronts[0];
  chosenId = followed?.id ?? null;
  if (chosenId) select.value = chosenId;
  draw();
  drawTable();
}

/** Draws the requests that the page keeps; `fresh` of them have just come. */
export function showRequests(known, fresh, at) {
  requests = known;
  now = at;
  draw();
  if (byId("front-details").open) drawTable();
  for (const request of fresh) light(request);
}

const shown = () => fronts.find(front => front.id === chosenId);

function square(x, y, kind) {
  return svg("rect", { x: x - 5, y: y - 5, width: 10, height: 10, class: kind });
}

function diamond(x, y, kind) {
  return svg("path", { d: `M${x} ${y - 6.5}l6.5 6.5l-6.5 6.5l-6.5 -6.5z`, class: kind });
}

/** A scale from values to pixels, with round ticks. */
function scale(values, from, to) {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  if (least > 0 && greatest / least > LOGARITHMIC_FROM) {
    const [low, high] = [Math.log10(least) - .08, Math.log10(greatest) + .08];
    const ticks = [];
    for (let power = Math.floor(low); power <= high; power += 1) {
      for (const step of [1, 2, 5]) ticks.push(step * 10 ** power);
    }
    const at = value => from + (to - from) * (Math.log10(Math.max(value, least / 2)) - low) / (high - low);
    return { at, ticks: ticks.filter(tick => Math.log10(tick) >= low && Math.log10(tick) <= high) };
  }
  // Where nothing lies near zero, the axis begins nearer to what there is.
  const begin = least > greatest * .2 ? least * .8 : 0;
  const raw = (greatest * 1.08 - begin) / 6 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= raw);
  const low = Math.floor(begin / step) * step;
  const high = greatest * 1.06 || 1;
  const ticks = [];
  for (let tick = low; tick <= high; tick += step) ticks.push(tick);
  return { at: value => from + (to - from) * (value - low) / (high - low), ticks };
}

function chosenShares(front) {
  const recent = requests.filter(request => request.front === front.id && request.mark !== null && now - request.at < MINUTE_MS);
  const counts = new Map();
  for (const { mark } of recent) counts.set(mark, (counts.get(mark) ?? 0) + 1);
  return { counts, all: recent.length };
}

function draw() {
  const chart = byId("front-chart");
  const front = shown();
  if (!width) return;
  byId("front-key").hidden = byId("front-details").hidden = !front;
  const about = byId("front-about");
  if (!front) {
    about.textContent = "";
    empty(chart, "No front is published yet: run splinter optimize. Until then everything runs on the edge.");
    return;
  }
  const emulated = front.emulates ? `, which plays ${front.emulates}` : "";
  about.textContent = `${front.model} on ${front.edge}${emulated} and ${front.cloud}; revision ${front.revision}, ${age(front.ended_at, now)}`;
  const known = front.marks.map((mark, index) => ({ ...mark, index })).filter(mark => mark.joules !== null);
  if (!known.length) {
    empty(chart, "The energy of this front's points is not known; they stand in the table below.");
    return;
  }
  const dots = requests.filter(request => request.model === front.model && request.joules !== null && request.mark !== null).slice(-GREATEST_DOTS);
  const x = scale(known.map(mark => mark.latency_ms), EDGES.left, width - EDGES.right);
  const y = scale(known.map(mark => mark.joules), HEIGHT - EDGES.bottom, EDGES.top);
  const inside = dots.filter(dot => {
    const [left, up] = [x.at(dot.latency_ms), y.at(dot.joules)];
    return left >= EDGES.left && left <= width - EDGES.right && up >= EDGES.top && up <= HEIGHT - EDGES.bottom;
  });
  const limit = requests.findLast(request => request.model === front.model && request.limit_ms !== null)?.limit_ms;
  picture.setAttribute("width", width);
  picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  drawn.replaceChildren(
    ...axes(x, y), ...limitLine(x, limit),
    ...inside.map(dot => glyph(dot.outcome, x.at(dot.latency_ms), y.at(dot.joules), 2.5, "dot")),
    ...beyond(dots.length - inside.length),
    envelope(known, x, y), ...marks(front, known, x, y));
  if (picture.parentNode !== chart) chart.replaceChildren(picture);
  chart.setAttribute("aria-label", inWords(front, known));
}

function empty(chart, text) {
  places = new Map();
  chart.setAttribute("aria-label", text);
  chart.replaceChildren(html("p", { class: "quiet empty", text }));
}

function axes(x, y) {
  const bottom = HEIGHT - EDGES.bottom;
  const apart = (ticks, at, gap) => ticks.filter((tick, index) => index === 0 || Math.abs(at(tick) - at(ticks[index - 1])) >= gap || tick === ticks.at(-1));
  return [
    ...apart(y.ticks, y.at, 18).flatMap(tick => [
      svg("line", { x1: EDGES.left, x2: width - EDGES.right, y1: y.at(tick), y2: y.at(tick), class: "axis" }),
      svg("text", { x: EDGES.left - 6, y: y.at(tick) + 4, "text-anchor": "end" }, round(tick)),
    ]),
    ...apart(x.ticks, x.at, 36).flatMap(tick => [
      svg("line", { x1: x.at(tick), x2: x.at(tick), y1: EDGES.top, y2: bottom, class: "axis" }),
      svg("text", { x: x.at(tick), y: bottom + 16, "text-anchor": "middle" }, round(tick)),
    ]),
    svg("text", { x: width - EDGES.right, y: HEIGHT - 6, "text-anchor": "end" }, "latency in ms"),
    svg("text", { x: EDGES.left + 6, y: EDGES.top + 10, class: "halo" }, "joules a request"),
  ];
}

function limitLine(x, limit) {
  if (!limit) return [];
  const at = x.at(limit);
  if (at > width - EDGES.right || at < EDGES.left) return [];
  const onLeft = at > width - 130;
  return [
    svg("line", { x1: at, x2: at, y1: EDGES.top, y2: HEIGHT - EDGES.bottom, class: "limit" }),
    svg("text", { x: at + (onLeft ? -6 : 6), y: HEIGHT - EDGES.bottom - 8, "text-anchor": onLeft ? "end" : "start", class: "halo" },
      `limit ${milliseconds(limit)}`),
  ];
}

function beyond(amount) {
  if (!amount) return [];
  return [svg("text", { x: EDGES.left, y: HEIGHT - 6 }, `${several(amount, "request")} outside`)];
}

/** The line through the points: what is to the lower left of it is out of reach. */
function envelope(known, x, y) {
  const points = known.filter(mark => mark.kind === "point").sort((a, b) => a.latency_ms - b.latency_ms);
  const d = points.map((mark, index) => `${index ? "L" : "M"}${x.at(mark.latency_ms)} ${y.at(mark.joules)}`).join("");
  return svg("path", { d, class: "envelope" });
}

function marks(front, known, x, y) {
  const { counts, all } = chosenShares(front);
  places = new Map(known.map(mark => [mark.index, [x.at(mark.latency_ms), y.at(mark.joules)]]));
  const times = mark => counts.get(mark.index) ?? 0;
  const shapes = known.map(mark => {
    const [left, up] = places.get(mark.index);
    const kind = `mark${mark.kind === "point" ? "" : " base"}${times(mark) ? " chosen" : ""}`;
    const shape = mark.kind === "all_cloud" ? square(left, up, kind)
      : mark.kind === "all_edge" ? diamond(left, up, kind)
        : svg("circle", { cx: left, cy: up, r: 5 + (all ? 4 * times(mark) / all : 0), class: kind });
    shape.append(svg("title", {}, `${mark.configuration}: ${milliseconds(mark.latency_ms)}, ${joules(mark.joules)}`));
    return shape;
  });
  const taken = [];
  // Those that were chosen most get their names first.
  const names = [...known].sort((a, b) => times(b) - times(a)).flatMap(mark => {
    const [left, up] = places.get(mark.index);
    const text = times(mark) ? `cut ${mark.cut} · ${Math.round(100 * times(mark) / all)}\u202f%` : `cut ${mark.cut}`;
    return label(text, left, up, taken);
  });
  return [...shapes, ...names];
}

/** A name beside a mark: to the right, or to the left, where there is room for it. */
function label(text, left, up, taken) {
  const long = text.length * 6.6;
  const sides = [["start", left + 11, left + 11], ["end", left - 11, left - 11 - long]];
  const isFree = ([, , from]) => {
    const to = from + long;
    if (from < EDGES.left || to > width - EDGES.right) return false;
    if (taken.some(other => Math.abs(other.up - up) < 15 && from < other.to && to > other.from)) return false;
    return ![...places.values()].some(([a, b]) => Math.abs(b - up) < 10 && a > from - 4 && a < to + 4 && a !== left);
  };
  const side = sides.find(isFree);
  if (!side) return [];
  const [anchor, at, from] = side;
  taken.push({ from, to: from + long, up });
  return [svg("text", { x: at, y: up + 4, "text-anchor": anchor, class: "name halo" }, text)];
}

function light(request) {
  const front = shown();
  const at = front && request.front === front.id && request.mark !== null ? places.get(request.mark) : undefined;
  if (!at || rings.childElementCount >= GREATEST_RINGS) return;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const ring = svg("circle", { cx: at[0], cy: at[1], r: 8, class: "ring" });
  ring.addEventListener("animationend", () => ring.remove());
  rings.append(ring);
}

function inWords(front, known) {
  const { counts, all } = chosenShares(front);
  const most = known.reduce((best, mark) => (counts.get(mark.index) ?? 0) > (counts.get(best.index) ?? 0) ? mark : best, known[0]);
  const chosen = all ? ` Chosen most in the last minute: ${most.configuration}, by ${counts.get(most.index) ?? 0} of ${all} requests.` : "";
  return `Latency against joules of ${count(known.length)} configurations of ${front.model}.${chosen} The table below has them all.`;
}

function drawTable() {
  const front = shown();
  if (!front) {
    byId("front-table").replaceChildren();
    return;
  }
  const { counts, all } = chosenShares(front);
  const kinds = { point: "", all_cloud: "all in the cloud", all_edge: "all on the edge" };
  table(byId("front-table"), "The configurations of the front",
    [["Configuration", ""], ["Latency", "number"], ["Joules", "number"], ["Accuracy", "number wide"], ["Chosen", "number"]],
    front.marks.map((mark, index) => [
      [mark.configuration, html("small", { text: [kinds[mark.kind], mark.cut_name].filter(Boolean).join(", ") })],
      milliseconds(mark.latency_ms),
      [joules(mark.joules), html("small", { text: mark.sources.map(source).join(", ") })],
      mark.accuracy === null ? "–" : percent(mark.accuracy),
      all ? `${Math.round(100 * (counts.get(index) ?? 0) / all)}\u202f%` : "–",
    ]));
}

byId("front-details").addEventListener("toggle", drawTable);
