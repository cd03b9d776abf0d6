// Requests a second and the cut of each request, over the last two minutes.

import { byId, glyph, keyEntry, keyPicture, onWidth, svg } from "./elements.js";
import { OUTCOMES, count } from "./words.js";

const SPAN_S = 120;
const LEFT = 44;
const RIGHT = 8;

let state = null;
let requests = [];
let lastCut = null;
const widths = new Map();

/** Begins to draw; to be called once. */
export function startTime() {
  for (const [id, draw] of [["rate-chart", drawRate], ["cut-chart", drawCuts]]) {
    onWidth(byId(id), width => {
      widths.set(id, width);
      draw();
    });
  }
  byId("time-key").replaceChildren(...OUTCOMES.map(name => keyEntry(keyPicture(glyph(name, 7, 7, 4)), name)));
}

/** Draws what is known now; `known` are the requests that the page keeps and `greatest` their network's last cut. */
export function showTime(now, known, greatest) {
  state = now;
  requests = known;
  lastCut = greatest;
  drawRate();
  drawCuts();
}

function patterns() {
  const pattern = (name, turned, gap) => svg("pattern",
    { id: `pattern-${name}`, width: gap, height: gap, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${turned})` },
    svg("rect", { width: gap, height: gap, class: `pattern-ground-${name}` }),
    svg("rect", { width: gap * .6, height: gap, class: name }));
  return svg("defs", {}, pattern("late", 45, 5), pattern("failed", -45, 3));
}

/** Horizontal lines at round values, `[y, text]`, and the time below. */
function frame(width, height, lines) {
  const bottom = height - 18;
  const ticks = [120, 90, 60, 30, 0].map(ago => svg("text",
    { x: x(width, ago), y: height - 3, "text-anchor": ago === 0 ? "end" : ago === 120 ? "start" : "middle" },
    ago === 0 ? "now" : `−${ago} s`));
  return [
    ...lines.flatMap(([y, text]) => [
      svg("line", { x1: LEFT, x2: width - RIGHT, y1: y, y2: y, class: "axis" }),
      svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, text),
    ]),
    svg("line", { x1: LEFT, x2: width - RIGHT, y1: bottom, y2: bottom, class: "axis" }),
    ...ticks,
  ];
}

const x = (width, ago) => width - RIGHT - (width - RIGHT - LEFT) * Math.min(ago, SPAN_S) / SPAN_S;

function drawRate() {
  const width = widths.get("rate-chart");
  if (!width || !state) return;
  const height = 96;
  const bottom = height - 18;
  // The second that has just begun would look like a fall.
  const seconds = state.seconds.slice(0, -1);
  const greatest = Math.max(1, ...seconds.map(second => second[0] + second[1] + second[2]));
  const scale = (bottom - 8) / greatest;
  const bar = Math.max(1, (width - LEFT - RIGHT) / SPAN_S - 1);
  const bars = seconds.flatMap((second, index) => {
    let top = bottom;
    return OUTCOMES.map((name, at) => {
      const tall = second[at] * scale;
      top -= tall;
      const left = x(width, seconds.length - index);
      return tall > 0 ? svg("rect", { x: left, y: top, width: bar, height: tall, class: `bar-${name}` }) : null;
    });
  });
  put("rate-chart", width, height, patterns(), ...frame(width, height, [[bottom - greatest * scale, count(greatest)]]), ...bars);
  const sums = OUTCOMES.map((name, at) => `${count(seconds.reduce((all, second) => all + second[at], 0))} ${name}`);
  byId("rate-chart").setAttribute("aria-label", `Requests of the last two minutes: ${sums.join(", ")}; at most ${greatest} a second`);
}

function drawCuts() {
  const width = widths.get("cut-chart");
  if (!width || !state) return;
  const height = 132;
  const [top, bottom] = [10, height - 28];
  const shown = requests.filter(request => request.cut !== null && state.at - request.at < SPAN_S * 1000);
  const greatest = Math.max(1, lastCut ?? 0, ...shown.map(request => request.cut));
  const y = cut => bottom - (bottom - top) * cut / greatest;
  const lines = [[y(0), "0"], [y(greatest), String(greatest)]];
  const dots = shown.map(request => glyph(request.outcome, x(width, (state.at - request.at) / 1000), y(request.cut), 3, "dot"));
  const about = (cut, text, below) => svg("text", { x: LEFT + 6, y: y(cut) + below, class: "halo" }, text);
  put("cut-chart", width, height, ...frame(width, height, lines), ...dots,
    about(greatest, "all on the edge", 13), about(0, "all in the cloud", -5));
  const last = shown.at(-1);
  const label = last ? `The cut of ${count(shown.length)} requests; the last one was at ${last.cut} of ${greatest}` : "No request yet";
  byId("cut-chart").setAttribute("aria-label", label);
}

function put(id, width, height, ...content) {
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...content);
  byId(id).replaceChildren(picture);
}
