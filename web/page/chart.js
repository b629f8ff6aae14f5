// The day of a position: what was held, and its profit, as two panels of one picture, read by pointer or arrow keys.

import { grouped } from "./decimal.js";
import { clock } from "./times.js";

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 8, RIGHT = 8, TOP = 22, GAP = 40, BOTTOM = 22, HEIGHT = 300;

function draw(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Return the function from a value to a height on the screen; zero is always inside. */
function scale(values, top, bottom) {
  const low = Math.min(0, ...values), high = Math.max(0, ...values), span = high - low || 1;
  return (value) => bottom - ((value - low) / span) * (bottom - top);
}

function steps(points, x, y) {
  let path = "";
  points.forEach(([at, value], number) => {
    path += number ? `H${x(at).toFixed(1)}V${y(value).toFixed(1)}` : `M${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return path;
}

export class Chart {
  constructor(place, readout) {
    this.place = place;
    this.readout = readout;
    this.points = [];
    this.at = -1;
    new ResizeObserver(() => this.redraw()).observe(place);
  }

  /** Show points: [time in nanoseconds, quantity, realized, profit or null] as texts. */
  show(points, label) {
    const held = this.at >= 0 && this.at < this.points.length - 1;
    this.points = points;
    this.label = label;
    if (!held) this.at = points.length - 1;
    this.redraw();
  }

  redraw() {
    const width = Math.floor(this.place.clientWidth);
    if (!width || !this.points.length) return this.place.replaceChildren();
    const hadFocus = this.place.contains(document.activeElement);
    const times = this.points.map(([time]) => Number(BigInt(time) / 1000n));
    const [first, last] = [Math.min(...times), Math.max(...times)];
    this.x = (time) => LEFT + ((time - first) / (last - first || 1)) * (width - LEFT - RIGHT);
    this.times = times;
    const middle = TOP + (HEIGHT - TOP - BOTTOM - GAP) * 0.38;
    const svg = draw("svg", {
      width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", tabindex: "0", "aria-label": this.label,
    });
    const column = (number) => this.points.flatMap((point, at) => point[number] === null ? [] : [[times[at], Number(point[number])]]);
    this.panel(svg, "position", TOP, middle, width, [["quantity", column(1)]]);
    const lines = [["realized", column(2)], ["profit", column(3)]];
    this.panel(svg, width < 560 ? "profit, realized dashed" : "profit at the last fill, and realized (dashed)", middle + GAP, HEIGHT - BOTTOM, width, lines);
    svg.append(draw("text", { x: LEFT, y: HEIGHT - 6, class: "axis" }, clock(this.points[0][0])));
    svg.append(draw("text", { x: width - RIGHT, y: HEIGHT - 6, class: "axis end" }, clock(this.points.at(-1)[0])));
    this.cursor = draw("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, x1: -9, x2: -9 });
    svg.append(this.cursor);
    svg.addEventListener("pointermove", (event) => this.pointAt(this.nearest(event.offsetX)));
    svg.addEventListener("keydown", (event) => this.key(event));
    this.place.replaceChildren(svg);
    if (hadFocus) svg.focus({ preventScroll: true });
    this.pointAt(Math.min(this.at, this.points.length - 1));
  }

  panel(svg, title, top, bottom, width, lines) {
    const values = lines.flatMap(([, points]) => points.map(([, value]) => value));
    const y = scale(values, top, bottom);
    svg.append(draw("line", { class: "zero", x1: LEFT, x2: width - RIGHT, y1: y(0), y2: y(0) }));
    for (const [name, points] of lines) svg.append(draw("path", { class: `line ${name}`, d: steps(points, this.x, y) }));
    svg.append(draw("text", { x: LEFT, y: top - 8, class: "title" }, title));
    const most = values.length ? `${short(Math.min(...values))} … ${short(Math.max(...values))}` : "no price is known";
    svg.append(draw("text", { x: width - RIGHT, y: top - 8, class: "axis end" }, most));
  }

  nearest(x) {
    let best = 0;
    this.times.forEach((time, at) => {
      if (Math.abs(this.x(time) - x) <= Math.abs(this.x(this.times[best]) - x)) best = at;
    });
    return best;
  }

  key(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    this.pointAt(Math.max(0, Math.min(this.points.length - 1, this.at + move)));
  }

  pointAt(at) {
    this.at = at;
    const [time, quantity, realized, profit] = this.points[at];
    const x = this.x(this.times[at]);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    const said = profit === null ? "no price known" : `profit ${grouped(profit)}`;
    this.readout.textContent = `${clock(time)}: position ${grouped(quantity)}, realized ${grouped(realized)}, ${said}`;
  }
}

function short(number) {
  return number.toLocaleString("en", { maximumFractionDigits: 2 });
}
