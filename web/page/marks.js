// The prices that value positions: one that the user has typed, else that of the last fill.

import { isDecimal } from "./decimal.js";

const KEPT = "slotbook marks";
const FORM = /^-?\d{1,12}(\.\d{1,18})?$/;

export class Marks {
  constructor(store) {
    this.store = store;
    this.given = new Map();
    try {
      this.given = new Map(Object.entries(JSON.parse(sessionStorage.getItem(KEPT) ?? "{}")));
    } catch { /* what cannot be read was not typed */ }
  }

  /** Keep what was typed for a symbol; an empty text goes back to the last fill. */
  type(symbol, text) {
    const clean = text.trim().replace(",", ".");
    if (clean) this.given.set(symbol, clean);
    else this.given.delete(symbol);
    sessionStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(this.given)));
  }

  isUsable(symbol) {
    return !this.given.has(symbol) || FORM.test(this.given.get(symbol));
  }

  lastFill(symbol) {
    return this.store.tables.marks.get(symbol)?.price ?? null;
  }

  /** Return the mark of a symbol; null when there is none, or when what was typed is no price. */
  of(symbol) {
    if (!this.isUsable(symbol)) return null;
    const mark = this.given.get(symbol) ?? this.lastFill(symbol);
    return mark !== null && isDecimal(mark) ? mark : null;
  }
}
