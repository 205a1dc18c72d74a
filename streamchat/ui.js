// What the page remembers for its tab alone, and how it notices a connection that died without a word.
const streamchat = (() => {
  const SILENCE = 15_000; // ms without a byte on an open stream; the server sends one every few seconds
  const storage = (use) => { try { return use(sessionStorage); } catch { return null; } }; // blocked in some frames

  const heard = new Map();
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    const response = await fetched(...request);
    if (!String(request[0]?.url ?? request[0]).includes("/queue/data") || !response.body) return response;
    const id = Symbol();
    heard.set(id, Date.now());
    const listen = new TransformStream({
      transform(chunk, stream) { heard.set(id, Date.now()); stream.enqueue(chunk); },
      flush() { heard.delete(id); },
    });
    return new Response(response.body.pipeThrough(listen), response);
  };

  const reloadIfDead = async () => {
    if (![...heard.values()].some((at) => Date.now() - at > SILENCE)) return;
    const alive = await fetched(location.href, { signal: AbortSignal.timeout(5_000), cache: "no-store" }).catch(() => null);
    if (alive) location.reload();
  };
  setInterval(reloadIfDead, 3_000);

  document.addEventListener("input", ({ target }) => { // not through Gradio, which passes nothing on while it is cut off
    if (target.matches("#message textarea")) storage((s) => s.setItem("streamchat.draft", target.value));
  });

  return {
    read: () => [storage((s) => s.getItem("streamchat.tab")) ?? "", storage((s) => s.getItem("streamchat.draft")) ?? ""],
    keep: (tab) => { storage((s) => s.setItem("streamchat.tab", tab)); },
  };
})();
