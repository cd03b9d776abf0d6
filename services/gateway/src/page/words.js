// Figures as people read them. No other module writes a number.

const NONE = "–";
// Spaces that do not break, so that a number and its unit stay together.
const NARROW = "\u202f";

/** A number with so many digits that three of them count, thousands apart. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  const decimals = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return grouped(value.toFixed(decimals));
}

/** A round number, as on an axis. */
export const round = value => grouped(String(Number(value.toPrecision(3))));

/** A whole number, thousands apart. */
export function count(value) {
  return Number.isFinite(value) ? grouped(String(Math.round(value))) : NONE;
}

function grouped(text) {
  const [whole, rest] = text.split(".");
  const apart = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, NARROW) : whole;
  return rest ? `${apart}.${rest}` : apart;
}

export const joules = value => unit(value, "J");
export const milliseconds = value => unit(value, "ms");
export const megabits = value => unit(value, "Mbit/s");
export const percent = share => Number.isFinite(share) ? `${(share * 100).toFixed(1)}${NARROW}%` : NONE;

function unit(value, name) {
  const text = number(value);
  return text === NONE ? NONE : `${text}${NARROW}${name}`;
}

/** "1 request", "2 requests". */
export const several = (amount, one, more = `${one}s`) => `${count(amount)} ${amount === 1 ? one : more}`;

/** How long ago, in the unit that people would say it in. */
export function age(at, now) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 2) return "just now";
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} days ago`;
}

/** A name as it is on the wire, in words. */
export const spaced = name => String(name).replaceAll("_", " ");

/** The time of day. */
export const clock = at => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export const SOURCES = {
  measured: "measured", attributed: "attributed", modelled: "modelled", emulated: "emulated",
};

/** A joule's source, never left out. */
export const source = name => SOURCES[name] ?? spaced(name);

export const OUTCOMES = ["within", "late", "failed"];
export const PLACES = ["edge", "wire", "cloud"];
