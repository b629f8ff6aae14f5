// Times, which come as nanoseconds since the epoch in a text.

/** Return the time of day, UTC. */
export function clock(nanoseconds) {
  return nanoseconds ? iso(nanoseconds).slice(11, 23) : "";
}

/** Return date and time, UTC, to the nanosecond. */
export function whole(nanoseconds) {
  if (!nanoseconds) return "";
  return `${iso(nanoseconds).slice(0, 19)}.${nanoseconds.padStart(9, "0").slice(-9)}Z`;
}

function iso(nanoseconds) {
  const date = new Date(Number(BigInt(nanoseconds) / 1_000_000n));
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
