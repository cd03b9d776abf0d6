// The four tiles: outcomes, rate, latency, energy.

import { byId, glyph, html, keyEntry, keyPicture, say } from "./elements.js";
import { OUTCOMES, PLACES, clock, count, joules, milliseconds, number, percent, source } from "./words.js";

const NAMES = { within: "within", late: "late", failed: "failed" };

const sum = entries => entries.reduce((all, entry) => all + entry.joules, 0);

/** Joules by place, `null` where nothing is known. */
export function byPlace(entries) {
  return PLACES.map(place => {
    const own = entries.filter(entry => entry.place === place);
    return { place, joules: own.length ? sum(own) : null, sources: own.map(entry => entry.source) };
  });
}

export function showFigures(state) {
  showOutcomes(state.minute.counts);
  showRate(state);
  showLatency(state.minute);
  showEnergy(state.minute);
}

function big(element, value, unit) {
  const text = unit ? `${value} ${unit}` : value;
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  element.replaceChildren(value, ...(unit ? [html("small", { text: unit })] : []));
}

/** A bar of shares: `[class, value]`. */
function shares(element, parts, label) {
  element.setAttribute("aria-label", label);
  const shown = parts.filter(([, value]) => value > 0);
  element.replaceChildren(...shown.map(([kind, value]) => html("span", { class: `ground-${kind}`, grow: value })));
}

function showOutcomes(counts) {
  const all = counts.within + counts.late + counts.failed;
  big(byId("within"), all ? (100 * counts.within / all).toFixed(1) : "–", all ? "%" : "");
  const told = OUTCOMES.map(name => `${count(counts[name])} ${NAMES[name]}`).join(", ");
  shares(byId("outcome-bar"), OUTCOMES.map(name => [name, counts[name]]), `In the last minute: ${told}`);
  byId("outcomes").replaceChildren(...OUTCOMES.map(name =>
    keyEntry(keyPicture(glyph(name, 7, 7, 4)), NAMES[name], count(counts[name]))));
}

function showRate({ minute, total, since }) {
  const all = minute.counts.within + minute.counts.late + minute.counts.failed;
  big(byId("rate"), minute.seconds >= 1 ? number(all / minute.seconds) : "–", "a second");
  const ever = total.within + total.late + total.failed;
  const otherwise = minute.counts.fallbacks;
  const planned = !all ? [] : [otherwise ? `${count(otherwise)} run otherwise than planned` : "all run as planned"];
  lines(byId("rate-notes"), [`${count(all)} in the last minute`, ...planned, `${count(ever)} since ${clock(since)}`]);
}

function showLatency({ p50_ms: median, p95_ms: high }) {
  big(byId("latency"), number(median), median === null ? "" : "ms median");
  lines(byId("latency-notes"), high === null ? ["no result in the last minute"] : [`95 of 100 within ${milliseconds(high)}`]);
}

function showEnergy({ joules: entries, priced }) {
  const places = byPlace(entries).filter(({ joules: own }) => own !== null);
  const all = sum(entries);
  big(byId("energy"), priced ? number(all / priced) : "–", priced ? "J" : "");
  const each = places.map(({ place, joules: own }) => `${place} ${joules(own / priced)}`);
  const label = priced ? `A request of the last minute: ${each.join(", ")}` : "No energy is known yet";
  shares(byId("energy-bar"), places.map(({ place, joules: own }) => [place, own]), label);
  const sources = [...new Set(entries.map(entry => source(entry.source)))];
  byId("energy-key").replaceChildren(
    ...places.map(({ place, joules: own }) => keyEntry(html("span", { class: `swatch ground-${place}` }), place, percent(own / all))),
    ...(sources.length ? [html("li", { text: sources.join(", ") })] : []),
  );
}

function lines(list, texts) {
  while (list.children.length > texts.length) list.lastChild.remove();
  while (list.children.length < texts.length) list.append(html("li"));
  texts.forEach((text, index) => say(list.children[index], text));
}
