// Prints every order event of a channel, exactly: prices and nanoseconds are strings, so that no number loses a digit.
import { createClient } from "redis";

const client = createClient({ url: process.env.REDIS_URL });
client.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
await client.connect();

function take(message, channel) {
  const { trader, type, ts_ns, ...rest } = JSON.parse(message);
  if (BigInt(ts_ns) <= 0n) throw new Error(`${trader}: ${type} without a time`);
  console.log(JSON.stringify({ channel, trader, type, ts_ns, ...rest }));
}

if (process.env.SHARDED) await client.sSubscribe(process.env.CHANNEL, take);
else await client.subscribe(process.env.CHANNEL, take);
console.log("subscribed");
