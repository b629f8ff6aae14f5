// The page: it listens, keeps the rows, and draws them a few times a second.

import { Chart } from "./chart.js";
import { eventColumns, orderColumns, positionColumns } from "./columns.js";
import { grouped, profit } from "./decimal.js";
import { follow } from "./feed.js";
import { Marks } from "./marks.js";
import { Store } from "./store.js";
import { Table, element } from "./table.js";
import { clock } from "./times.js";

const DONE = new Set(["FILLED", "CANCELED", "REJECTED", "EXPIRED", "CALCULATED"]);
const REDRAW = 200, REREAD = 3000;

const find = (id) => document.getElementById(id);
const store = new Store(), marks = new Marks(store), chart = new Chart(find("chart"), find("day-point"));
let leave = () => {}, isDue = false, lastRows = null, chosen = null, serverState = {};

const redraw = () => {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    draw();
  }, REDRAW);
};

const tables = {
  positions: new Table(find("positions"), positionColumns(marks, { onChoose: choose, onMark }), { label: "Positions", onDraw: draw }),
  orders: new Table(find("orders"), orderColumns, { label: "Orders", onDraw: draw }),
  events: new Table(find("events"), eventColumns, { label: "Events, the latest first", onDraw: draw }),
};

function onMark(symbol, text) {
  marks.type(symbol, text);
  redraw();
}

function draw() {
  const words = find("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const passes = (row) => {
    const all = Object.values(row).join(" ").toLowerCase();
    return words.every((word) => all.includes(word));
  };
  const onlyOpen = find("only-open").checked;
  for (const [name, table] of Object.entries(tables)) {
    let rows = store.latest(name).filter(passes);
    if (name === "positions" && !table.sort) rows.sort(bySymbol);
    if (name === "orders" && onlyOpen) rows = rows.filter((row) => !DONE.has(row.status));
    table.draw(rows, serverState[`left_out_${name}`]);
  }
  drawProblems();
  drawState();
}

/** Compare by symbol and trader; the parts of accounts come behind the whole. */
function bySymbol(one, other) {
  for (const name of ["symbol", "trader", "account"]) {
    const [a, b] = [one[name] ?? "", other[name] ?? ""];
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}

const keyOf = ({ trader, symbol, account }) => [trader, symbol, ...(account ? [account] : [])].join("\n");

function drawProblems() {
  const problems = store.latest("problems");
  find("problems").hidden = !problems.length;
  const list = find("problem-list");
  const texts = problems.map((row) => `${clock(row.time)} ${row.kind}: ${row.text}${row.times > 1 ? ` (${row.times} times)` : ""}`);
  if (texts.join("\n") === list.dataset.shown) return;
  list.dataset.shown = texts.join("\n");
  list.replaceChildren(...problems.map((row, at) => element("li", { class: row.kind === "StateLost" ? "loss" : "" }, texts[at])));
}

function drawState() {
  find("lag").textContent = "lag" in serverState ? grouped(String(serverState.lag)) : "–";
  find("rate").textContent = "rate" in serverState ? `${serverState.rate}/s` : "–";
  find("events-count").textContent = "events" in serverState ? grouped(String(serverState.events)) : "–";
  find("interruptions").textContent = serverState.interruptions ?? "–";
}

function say(state, text) {
  const place = find("state");
  document.body.classList.toggle("stale", state !== "live");
  if (place.dataset.state === state && place.textContent === text) return;
  place.dataset.state = state;
  place.textContent = text;
}

function onRows(document) {
  store.take(document);
  serverState = document.state;
  lastRows = new Date();
  if (serverState.connected) say("live", "live");
  else say("reconnecting", "reconnecting to the book: rows may be old");
  addTraders();
  if (chosen && document.positions.some((row) => row.key === keyOf(chosen))) readDay();
  redraw();
}

function onState(state, text) {
  const since = lastRows ? `, rows are as of ${lastRows.toTimeString().slice(0, 8)}` : "";
  say(state, state === "refused" ? text : `disconnected (${text})${since}`);
}

function addTraders() {
  const list = find("trader");
  const known = new Set([...list.options].map((option) => option.value));
  const named = new Set();
  for (const name of ["positions", "orders", "events"]) {
    for (const row of store.tables[name].values()) named.add(row.trader);
  }
  for (const trader of [...named].sort()) {
    if (!known.has(trader) && list.options.length < 500) list.append(element("option", { value: trader }, trader));
  }
}

const titleOf = ({ trader, symbol, account }) => `${symbol} of ${trader}${account ? ` for ${account}` : ""}`;

function choose(trader, symbol, account) {
  chosen = { trader, symbol, ...(account ? { account } : {}) };
  find("day").hidden = false;
  find("day-title").textContent = `${titleOf(chosen)}, its day`;
  find("day-summary").textContent = "reading …";
  chart.at = -1;
  readDay(true);
  find("day").scrollIntoView({ block: "nearest" });
}

let nextDay = 0, dayTimer = 0;
async function readDay(isNow = false) {
  const wait = isNow ? 0 : nextDay - Date.now();
  if (wait > 0) {
    dayTimer ||= setTimeout(() => { dayTimer = 0; readDay(true); }, wait);
    return;
  }
  if (!chosen) return;
  nextDay = Date.now() + REREAD;
  const asked = chosen;
  let day, problem = "", isRefused = false;
  try {
    const answer = await fetch(`/day?${new URLSearchParams(asked)}`, { cache: "no-store" });
    if (answer.ok) day = await answer.json();
    else [problem, isRefused] = [await answer.text(), answer.status === 401 || answer.status === 403];
  } catch (error) {
    problem = error.message;
  }
  if (asked !== chosen) return;
  if (!day) {
    find("day-summary").textContent = `could not be read: ${problem.trim()}`;
    if (!isRefused) readDay();
    return;
  }
  const held = store.tables.positions.get(keyOf(asked));
  const now = held ? profit(held, marks.of(asked.symbol)) : null;
  const parts = [`${day.changes} changes (${day.points.length ? dayName(day.points.at(-1)[0]) : "none"}, UTC)`];
  if (now !== null) parts.push(`profit at the mark ${grouped(now)}`);
  if (!day.is_whole) parts.push("the day began before the first event that is kept or read");
  find("day-summary").textContent = parts.join("; ");
  chart.show(day.points, `${titleOf(asked)}: position and profit over the day. ${parts.join("; ")}. Arrow keys move from change to change.`);
}

function dayName(nanoseconds) {
  return new Date(Number(BigInt(nanoseconds) / 1_000_000n)).toISOString().slice(0, 10);
}

function begin() {
  const trader = new URLSearchParams(location.search).get("trader") ?? "";
  if (trader) {
    if (![...find("trader").options].some((option) => option.value === trader)) {
      find("trader").append(element("option", { value: trader }, trader));
    }
    find("trader").value = trader;
  }
  leave();
  leave = follow(trader, { onRows, onState });
}

find("filter").addEventListener("input", redraw);
find("only-open").addEventListener("change", draw);
find("controls").addEventListener("submit", (event) => event.preventDefault());
find("trader").addEventListener("change", (event) => {
  const trader = event.target.value;
  history.replaceState(null, "", trader ? `/?${new URLSearchParams({ trader })}` : "/");
  begin();
});
find("day-close").addEventListener("click", () => {
  chosen = null;
  find("day").hidden = true;
  find("positions").focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
    event.preventDefault();
    find("filter").focus();
  }
});
begin();
