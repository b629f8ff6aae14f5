// The stream of rows: read as it comes, gone on with where it broke off.

const SILENCE = 10_000;
const PAUSES = [300, 700, 1500, 3000, 5000];

const pause = (time) => new Promise((done) => setTimeout(done, time));

/** Follow the rows of a trader, or of all; returns a function that ends it.
 *  Calls onRows with each document, and onState with live, stale, refused or ended, and a text. */
export function follow(trader, { onRows, onState }) {
  let last = "", tries = 0, isOver = false, current = null;

  async function once() {
    current = new AbortController();
    const { signal } = current;
    let timer = setTimeout(() => current.abort(), SILENCE);
    const answer = await fetch(trader ? `/rows?${new URLSearchParams({ trader })}` : "/rows", {
      headers: last ? { "Last-Event-ID": last } : {}, signal, cache: "no-store", credentials: "same-origin",
    });
    if (answer.status === 401 || answer.status === 403) {
      isOver = true;
      onState("refused", (await answer.text()).trim());
      return;
    }
    if (!answer.ok) throw new Error(await answer.text());
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      clearTimeout(timer);
      if (done || isOver) return;
      timer = setTimeout(() => current.abort(), SILENCE);
      text += value;
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }

  function take(message) {
    let data = "", id = "", kind = "message";
    for (const line of message.split("\n")) {
      if (line.startsWith("data: ")) data += line.slice(6);
      else if (line.startsWith("id: ")) id = line.slice(4);
      else if (line.startsWith("event: ")) kind = line.slice(7);
    }
    if (kind === "ended") return onState("ended", "the blotter's server has ended");
    onRows(JSON.parse(data));
    last = id;
    tries = 0;
  }

  (async () => {
    while (!isOver) {
      let why = "the connection ended";
      try {
        await once();
      } catch (error) {
        why = error.name === "AbortError" ? "nothing came any more" : error.message;
      }
      if (isOver) return;
      onState("stale", why);
      await pause(PAUSES[Math.min(tries++, PAUSES.length - 1)]);
    }
  })();

  return () => {
    isOver = true;
    current?.abort();
  };
}
