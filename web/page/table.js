// A table that is sorted by its headings and drawn in place: a row that stays keeps its elements, and so the focus.

import { compare, grouped } from "./decimal.js";

const MOST = 200;

/** Make an element with a text and attributes. Texts are never read as HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export class Table {
  /** columns: { name, label, number?, optional?, value(row), shown?(row), fill?(cell, row) } */
  constructor(section, columns, { label, onDraw = () => {} }) {
    this.columns = columns;
    this.sort = null;
    this.onDraw = onDraw;
    this.lines = new Map();
    this.more = element("p", { class: "more" });
    this.body = element("tbody", { role: "rowgroup" });
    this.headings = columns.map((column) => this.heading(column));
    const head = element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...this.headings));
    const table = element("table", { role: "table", "aria-label": label }, head, this.body);
    section.append(element("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" }, table), this.more);
  }

  heading(column) {
    const button = element("button", { type: "button" }, column.label);
    const heading = element("th", { role: "columnheader", scope: "col", "aria-sort": "none" }, button);
    if (column.number) heading.className = "number";
    button.addEventListener("click", () => {
      const down = this.sort?.column === column ? (this.sort.down ? null : true) : false;
      this.sort = down === null ? null : { column, down };
      this.headings.forEach((one) => one.setAttribute("aria-sort", "none"));
      if (this.sort) heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      this.onDraw();
    });
    return heading;
  }

  /** Draw rows, in the order given unless the user has chosen one. */
  draw(rows, leftOut = 0) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const chosen = this.sorted(rows).slice(0, MOST);
    const keys = new Set(chosen.map((row) => row.key));
    for (const [key, line] of this.lines) {
      if (!keys.has(key)) {
        line.remove();
        this.lines.delete(key);
      }
    }
    let at = this.body.firstChild;
    for (const row of chosen) {
      const line = this.line(row);
      if (line === at) at = at.nextSibling;
      else if (focused && line.contains(focused)) at = this.body.insertBefore(line, at).nextSibling;
      else this.body.insertBefore(line, at);
    }
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    this.hideEmpty(chosen);
    const more = rows.length - chosen.length;
    const words = [];
    if (more) words.push(`${more} more rows; filter to see them.`);
    if (leftOut) words.push(`${leftOut} older rows are not kept.`);
    if (!rows.length) words.push("None.");
    this.more.textContent = words.join(" ");
  }

  /** Hide the columns that may be empty and are. */
  hideEmpty(rows) {
    this.columns.forEach((column, at) => {
      if (!column.optional) return;
      const isEmpty = rows.every((row) => !column.value(row));
      this.headings[at].hidden = isEmpty;
      for (const line of this.lines.values()) line.children[at].hidden = isEmpty;
    });
  }

  sorted(rows) {
    if (!this.sort) return rows;
    const { column, down } = this.sort;
    const sign = down ? -1 : 1;
    return rows.map((row) => [column.value(row), row]).sort(([one], [other]) => {
      if (one === other) return 0;
      if (one === null || one === undefined) return 1;
      if (other === null || other === undefined) return -1;
      return sign * (column.number ? compare(String(one), String(other)) : one < other ? -1 : 1);
    }).map(([, row]) => row);
  }

  line(row) {
    let line = this.lines.get(row.key);
    if (!line) {
      const cells = this.columns.map((column) => element("td", { role: "cell", "data-label": column.label }));
      line = element("tr", { role: "row" }, ...cells);
      this.columns.forEach((column, at) => { if (column.number) cells[at].className = "number"; });
      this.lines.set(row.key, line);
    }
    line.classList.toggle("old", Boolean(row.old || row.lost));
    this.columns.forEach((column, at) => this.fill(line.children[at], column, row));
    return line;
  }

  fill(cell, column, row) {
    if (column.fill) return column.fill(cell, row);
    const value = column.value(row);
    let text = value === null || value === undefined ? "" : String(value);
    if (column.shown) text = column.shown(row);
    else if (column.number && text) text = grouped(text);
    if (cell.textContent !== text) cell.textContent = text;
    cell.classList.toggle("empty", !text);
    if (column.number) cell.classList.toggle("minus", text.startsWith("-"));
  }
}
