// The saved conversations on the server. A call that fails throws an Error whose message is a sentence for the reader.
(() => {
  const { text } = window.streamchat;

  const sentence = (response) => response.json().then(({ message }) => message, () => null);
  const ask = async (method, path, { body, signal } = {}) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    let response;
    try {
      response = await fetch(`conversations${path}`, { method, signal, cache: "no-store", ...sent });
    } catch (error) {
      throw error.name === "AbortError" ? error : new Error(text("unreachable"));
    }
    if (!response.ok) throw new Error((await sentence(response)) || text("failed"));
    return response;
  };
  const json = async (...request) => (await ask(...request)).json();
  const one = (id) => `/${encodeURIComponent(id)}`;

  const list = ({ query, behind, limit, signal }) => { // behind a conversation, in its order
    const wanted = Object.entries({ q: query, before: behind?.at, last: behind?.id, limit }).filter(([, value]) => value !== undefined && value !== "");
    return json("GET", `?${new URLSearchParams(wanted)}`, { signal });
  };
  const download = async (path, fallback) => {
    const response = await ask("GET", path);
    const named = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
    const address = URL.createObjectURL(await response.blob());
    Object.assign(document.createElement("a"), { href: address, download: named?.[1] ?? fallback }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  };

  Object.assign(window.streamchat, {
    saved: {
      list,
      item: (id) => json("GET", one(id)),
      rename: (id, title) => json("PATCH", one(id), { body: { title } }),
      remove: (id) => ask("DELETE", one(id)),
      restore: (id) => json("POST", `${one(id)}/restore`),
      removeAll: () => json("DELETE", ""),
      restoreAll: () => json("POST", "/restore"),
      share: (id) => json("POST", `${one(id)}/share`),
      unshare: (id) => ask("DELETE", `${one(id)}/share`),
      take: (file) => json("POST", "/import", { body: file }),
      export: (id, format) => download(`${one(id)}/export?format=${format}`, `conversation.${format}`),
      exportAll: () => download("/export", "conversations.json"),
    },
  });
})();
