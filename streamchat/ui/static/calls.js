// Repairs a race of Gradio's client. It reads the answers of all queued calls from one stream, which the server closes with the
// last answer. If a call is queued right after that, and the client learns of the call before it learns of the end, it opens no
// new stream, and the call's answer never comes. So the response to a call waits here until the open stream has named the
// call, or the client has closed the stream.
(() => {
  const { addresses } = window.streamchat.gradio;
  const LATE = 1_000; // ms after a stream's end in which the client closes it, or else never will
  const open = new Set(); // the signals of the streams that the client takes for open
  const named = new Set(); // the calls that these have named since the first of the calls on their way
  const waiting = new Map(); // functions that pass a response on, by its call
  let onTheirWay = 0;

  const pass = (call) => { waiting.get(call)?.(); waiting.delete(call); };
  const isKnown = (call) => !open.size || named.has(call);
  const until = (call) => new Promise((go) => { if (isKnown(call)) go(); else waiting.set(call, go); });
  const close = (signal) => { open.delete(signal); if (!open.size) [...waiting.keys()].forEach(pass); };

  const begin = (signal) => {
    open.add(signal);
    signal.addEventListener("abort", () => close(signal));
  };
  const end = (signal) => { setTimeout(close, LATE, signal); };
  const read = (chunk) => {
    if (!onTheirWay) return;
    for (const [, call] of new TextDecoder().decode(chunk).matchAll(/"event_id":"(\w+)"/g)) { named.add(call); pass(call); }
  };
  Object.assign(window.streamchat, { answers: { begin, read, end } });

  const fetched = window.fetch;
  window.fetch = async (resource, options) => {
    if (!String(resource?.url ?? resource).includes(addresses.join)) return fetched(resource, options);
    onTheirWay++;
    try {
      const response = await fetched(resource, options);
      if (response.ok) await until((await response.clone().json()).event_id);
      return response;
    } finally {
      if (!--onTheirWay) named.clear();
    }
  };
})();
