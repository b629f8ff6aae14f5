// Exact decimals, as texts: a price in money is never a binary fraction here.

const FORM = /^-?\d+(\.\d+)?$/;

/** Return whether a text is a decimal number. */
export function isDecimal(text) {
  return FORM.test(text);
}

function read(text) {
  const [whole, part = ""] = text.split(".");
  return { digits: BigInt(whole + part), places: part.length };
}

function write(digits, places) {
  const sign = digits < 0n ? "-" : "";
  const text = (digits < 0n ? -digits : digits).toString().padStart(places + 1, "0");
  const part = places ? text.slice(-places).replace(/0+$/, "") : "";
  return `${sign}${places ? text.slice(0, -places) : text}${part ? `.${part}` : ""}`;
}

function aligned(one, other) {
  const a = read(one), b = read(other), places = Math.max(a.places, b.places);
  return [a.digits * 10n ** BigInt(places - a.places), b.digits * 10n ** BigInt(places - b.places), places];
}

export function add(one, other) {
  const [a, b, places] = aligned(one, other);
  return write(a + b, places);
}

export function subtract(one, other) {
  const [a, b, places] = aligned(one, other);
  return write(a - b, places);
}

export function multiply(one, other) {
  const a = read(one), b = read(other);
  return write(a.digits * b.digits, a.places + b.places);
}

export function compare(one, other) {
  const [a, b] = aligned(one, other);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Return a number as people read it: groups of three digits before the point. */
export function grouped(text) {
  const [whole, part] = text.split(".");
  const digits = whole.replace(/\B(?=(\d{3})+$)/g, "\u2009");
  return part ? `${digits}.${part}` : digits;
}

/** Return the profit of a position at a mark; null when it holds something and there is no mark. */
export function profit(position, mark) {
  if (position.quantity === "0") return position.realized;
  if (mark === null) return null;
  const value = multiply(multiply(position.quantity, mark), position.multiplier);
  return add(position.realized, subtract(value, position.cost));
}
