// Makes elements. Text from outside only ever becomes text: nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = id => document.getElementById(id);

/** An HTML element; `class`, `text` and any attribute by name, then its children. */
export function html(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element, made alike. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "width%") element.style.width = `${value}%`;
    else if (name === "grow") element.style.flexGrow = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** Changes a text only where it differs, so that what reads the page aloud is not told the same again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Fills a table: columns as `[title, class]`, rows as lists of cells (texts or elements); the first cell heads its row. */
export function table(element, caption, columns, rows) {
  const head = html("tr", {}, ...columns.map(([title, kind]) => html("th", { scope: "col", class: kind, text: title })));
  const body = rows.map(cells => html("tr", {}, ...cells.map((cell, index) => {
    const kind = columns[index]?.[1];
    const made = index === 0 ? html("th", { scope: "row", class: kind }) : html("td", { class: kind });
    made.append(...[cell].flat());
    return made;
  })));
  element.replaceChildren(
    html("caption", { class: "unseen", text: caption }),
    html("thead", {}, head),
    html("tbody", {}, ...body),
  );
}

/** The shape of an outcome: a disc within, a triangle late, a cross failed. */
export function glyph(outcome, x, y, size, extra = "") {
  const kind = `${outcome} ${extra}`;
  if (outcome === "within") return svg("circle", { cx: x, cy: y, r: size, class: kind });
  if (outcome === "late") {
    const [half, up] = [size * 1.2, size * 1.3];
    return svg("path", { d: `M${x} ${y - up}l${half} ${up + size}h${-2 * half}z`, class: kind });
  }
  const d = `M${x - size} ${y - size}l${2 * size} ${2 * size}m0 ${-2 * size}l${-2 * size} ${2 * size}`;
  return svg("path", { d, class: `stroke-failed ${extra}`, "stroke-width": 2, fill: "none" });
}

/** A picture in a legend. */
export function keyPicture(...shapes) {
  return svg("svg", { width: 14, height: 14, viewBox: "0 0 14 14", "aria-hidden": "true" }, ...shapes);
}

/** One entry of a legend. */
export function keyEntry(picture, text, value) {
  return html("li", {}, picture, html("span", { text }), value === undefined ? null : html("b", { text: value }));
}

/** Calls `draw(width)` now and whenever the element's width changes. */
export function onWidth(element, draw) {
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.round(element.clientWidth);
    if (now === width || now === 0) return;
    width = now;
    draw(width);
  }).observe(element);
}
