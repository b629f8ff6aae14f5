// The columns of the three tables.

import { grouped, profit } from "./decimal.js";
import { element } from "./table.js";
import { clock, whole } from "./times.js";

const text = (name, label = name) => ({ name, label, value: (row) => row[name] });
const optional = (name) => ({ ...text(name), optional: true });
const number = (name, label = name) => ({ ...text(name, label), number: true });

function time(label) {
  return {
    name: "time", label, number: true, value: (row) => row.time,
    fill(cell, row) {
      cell.textContent = clock(row.time);
      cell.title = whole(row.time);
    },
  };
}

const words = (status) => status.toLowerCase().replaceAll("_", " ");

const status = {
  name: "status", label: "status", value: (row) => row.status, shown: (row) => row.status ? words(row.status) : "",
};

export const orderColumns = [
  text("order"), text("trader"), text("symbol"), text("side"), status, number("price"), number("filled"), number("quantity"),
  time("placed or changed"), optional("text"),
];

export const eventColumns = [
  time("time"), text("trader"),
  { name: "sequence", label: "number", number: true, value: (row) => row.sequence, shown: (row) => row.lost ? `${row.sequence} lost` : String(row.sequence) },
  { name: "type", label: "change", value: (row) => row.type, shown: (row) => words(row.type) },
  text("symbol"), text("order"), optional("account"), text("side"), text("last", "fill"), status, number("position"), optional("text"),
];

/** Return the columns of positions; a symbol's button calls onChoose, and what is typed as a mark calls onMark. */
export function positionColumns(marks, { onChoose, onMark }) {
  return [
    {
      name: "symbol", label: "symbol", value: (row) => row.symbol,
      fill(cell, row) {
        let button = cell.firstChild;
        if (!button) {
          button = element("button", { type: "button", class: "symbol", title: "Show its day" });
          button.addEventListener("click", () => onChoose(row.trader, row.symbol, row.account));
          cell.append(button);
        }
        if (button.textContent !== row.symbol) button.textContent = row.symbol;
      },
    },
    text("trader"), optional("account"), number("quantity", "position"), number("average", "average open"), number("cost"), number("realized"),
    {
      name: "mark", label: "mark", number: true, value: (row) => marks.of(row.symbol),
      fill(cell, row) {
        let input = cell.firstChild;
        if (!input) {
          input = element("input", { inputmode: "decimal", autocomplete: "off", "aria-describedby": "marks-hint", size: "9" });
          input.setAttribute("aria-label", `Mark of ${row.symbol}`);
          input.addEventListener("input", () => onMark(row.symbol, input.value));
          cell.append(input);
        }
        const given = marks.given.get(row.symbol) ?? "";
        if (document.activeElement !== input && input.value !== given) input.value = given;
        input.placeholder = marks.lastFill(row.symbol) ?? "none";
        input.setAttribute("aria-invalid", String(!marks.isUsable(row.symbol)));
      },
    },
    {
      name: "profit", label: "profit at mark", number: true, value: (row) => profit(row, marks.of(row.symbol)),
      shown(row) {
        const value = profit(row, marks.of(row.symbol));
        return value === null ? "no mark" : grouped(value);
      },
    },
    optional("fees"),
  ];
}
