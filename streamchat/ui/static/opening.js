// Runs before Gradio's own scripts: makes the page work where storage is blocked or a proxy hides its address, and tells
// the reader the reason where it cannot work.
(() => {
  // In a frame of another site a browser may refuse storage. Gradio reads it unguarded: it gets one that a reload empties.
  const blocked = (name) => { try { return !window[name]; } catch { return true; } };
  const inMemory = () => {
    const kept = new Map();
    return {
      getItem: (key) => kept.get(String(key)) ?? null,
      setItem: (key, value) => { kept.set(String(key), String(value)); },
      removeItem: (key) => { kept.delete(String(key)); },
      clear: () => kept.clear(),
      key: (index) => [...kept.keys()][index] ?? null,
      get length() { return kept.size; },
    };
  };
  for (const name of ["localStorage", "sessionStorage"].filter(blocked)) {
    Object.defineProperty(window, name, { value: inMemory(), configurable: true });
  }

  // The page is the root of the chat, whatever address the server was asked for. Without a slash at the end, all that the
  // page loads would be looked for beside it. `view` would open panels of Gradio's for developers.
  const url = new URL(location.href);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.searchParams.delete("view");
  if (url.href !== location.href) {
    history.replaceState(history.state, "", url);
    document.querySelector("base").href = "./";
  }
  const root = url.origin + url.pathname.replace(/\/$/, "");
  if (window.gradio_config) window.gradio_config.root = root;

  const say = (sentence) => {
    const it = document.getElementById("problem") ?? document.createElement("p");
    it.id = "problem";
    it.setAttribute("role", "alert");
    it.style.cssText = "position:fixed;z-index:9999;inset:1rem 1rem auto;margin:0 auto;max-width:40rem;padding:.75rem 1rem;"
      + "border-radius:.5rem;background:#fef3c7;color:#451a03;font:1rem/1.5 system-ui,sans-serif;box-shadow:0 1px 4px #0004";
    it.textContent = sentence;
    document.body.append(it);
  };
  const fetched = window.fetch;
  const REFUSED = [401, 403, 421]; // of every request, where the login, the proxy or the name of the site is wrong
  window.fetch = async (resource, options) => {
    const response = await fetched(resource, options);
    const ours = new URL(resource?.url ?? resource, document.baseURI).href.startsWith(root);
    if (ours && REFUSED.includes(response.status)) {
      const { message } = await response.clone().json().catch(() => ({}));
      say(message ?? window.streamchat.text("refused", { status: response.status }));
    }
    return response;
  };

  addEventListener("error", ({ target }) => { // of a script that did not load
    if (target.type !== "module") return;
    say(window.streamchat.text("not_loaded", { file: target.src }));
    fetch("gradio_api/queue/join", { method: "POST", body: "{}" }).catch(() => {}); // whose refusal may say more
  }, true);
})();
