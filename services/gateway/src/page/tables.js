// Joules by place, links and services.

import { byId, html, say, svg, table } from "./elements.js";
import { byPlace } from "./figures.js";
import { age, count, joules, megabits, milliseconds, source } from "./words.js";

/** States that a link's line remembers: two minutes. */
const GREATEST_HISTORY = 120;
/** Links whose line is remembered. */
const GREATEST_LINKS = 64;

const history = new Map();

export function showTables(state) {
  showJoules(state);
  showLinks(state.links);
  showServices(state);
  const policy = state.policy;
  const shadow = policy?.shadow ? `, in its shadow ${policy.shadow}` : "";
  say(byId("policy"), policy ? `Policy ${policy.policy}${shadow}` : "No scheduler is heard");
}

function showJoules({ minute, total_joules: total }) {
  const ever = byPlace(total);
  const rows = byPlace(minute.joules).map((entry, index) => {
    const sources = [...new Set([...ever[index].sources, ...entry.sources])].map(source);
    const swatch = html("span", { class: `swatch ground-${entry.place}` });
    return [
      [swatch, ` ${entry.place}`, html("small", { text: sources.length ? sources.join(", ") : "not known" })],
      entry.joules === null ? "–" : joules(entry.joules / minute.priced),
      ever[index].joules === null ? "–" : joules(ever[index].joules),
    ];
  });
  table(byId("joules-table"), "Joules by place", [["Place and source", ""], ["A request", "number"], ["All", "number"]], rows);
}

function showLinks(links) {
  const list = byId("links");
  if (!links.length) {
    list.replaceChildren(html("p", { class: "quiet", text: "No scheduler says anything of a link yet." }));
    return;
  }
  for (const link of links) remember(`${link.edge} ${link.model}`, link.mbit);
  list.replaceChildren(...links.map(link => {
    const speed = link.mbit === null ? "no throughput to tell" : megabits(link.mbit);
    const old = link.age_ms === null ? "as the front was measured" : age(0, link.age_ms);
    return html("div", { class: "link" },
      html("p", { class: "figure", text: speed }), line(history.get(`${link.edge} ${link.model}`) ?? []),
      html("p", { class: "quiet", text: `${milliseconds(link.round_trip_ms)} there and back, ${old}; ${link.edge}, ${link.model}` }));
  }));
}

function remember(name, value) {
  if (!history.has(name) && history.size >= GREATEST_LINKS) history.delete(history.keys().next().value);
  const known = history.get(name) ?? [];
  known.push(value ?? 0);
  if (known.length > GREATEST_HISTORY) known.shift();
  history.set(name, known);
}

function line(values) {
  const greatest = Math.max(1e-9, ...values);
  const points = values.map((value, index) => `${index ? "L" : "M"}${2 + 106 * (index + GREATEST_HISTORY - values.length) / (GREATEST_HISTORY - 1)} ${30 - 26 * value / greatest}`);
  return svg("svg", { width: 110, height: 32, viewBox: "0 0 110 32", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 110, y1: 31, y2: 31, class: "axis" }), svg("path", { d: points.join(""), class: "spark" }));
}

function showServices({ instances, more_instances: more, connected }) {
  const ready = instances.filter(instance => instance.state === "ready").length;
  const broker = connected ? "" : "; the broker is not reachable";
  say(byId("services-about"), `${count(ready)} of ${count(instances.length + more)} ready${broker}`);
  table(byId("services-table"), "Services and their credits",
    [["Service", ""], ["Credits", ""], ["State", ""], ["Networks", "wide"], ["Version", "number wide"]],
    instances.map(instance => [
      [instance.service.replace("-", " "), html("small", { text: `${instance.instance} on ${instance.node}` })],
      credits(instance),
      state(instance),
      instance.models.length ? instance.models.join(", ") : "–",
      instance.version,
    ]));
}

function credits({ credits: free, capacity }) {
  if (!capacity) return "–";
  return html("div", { class: "credits" },
    html("i", { "aria-hidden": "true" }, html("span", { "width%": 100 * free / capacity })),
    html("span", { text: `${count(free)} of ${count(capacity)}` }));
}

function state(instance) {
  if (instance.state === "draining") return html("span", { class: "badge warn", text: "leaving" });
  if (instance.capacity && !instance.credits) return html("span", { class: "badge warn", text: "full" });
  return html("span", { class: "badge good", text: "ready" });
}
