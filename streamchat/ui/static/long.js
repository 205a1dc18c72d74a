// A bar above the box of a chat that gets long: it offers to go on in a new one, with a summary in the box to read and edit first.
(() => {
  const { make, text, gradio: { elements } } = window.streamchat;
  const NEAR = 0.7;
  const storage = (use) => { try { return use(sessionStorage); } catch { return null; } };
  const current = () => window.streamchat.conversations?.current() ?? storage((s) => s.getItem("streamchat.tab"));
  const hasKey = () => Boolean(window.streamchat.hasKey?.());

  const words = make("span");
  const go = make("button", { type: "button", textContent: text("go_on_in_new") });
  const bar = make("div", { id: "long", role: "status" }, words, go);
  let full = false;
  let shown = null; // the chat that the bar is about
  const place = () => { if (shown && !bar.isConnected) document.querySelector("#message")?.closest(elements.boxRow)?.before(bar); };
  const places = new MutationObserver(place);
  const hide = () => { shown = null; places.disconnect(); bar.remove(); };
  const show = (id, used) => {
    full = used >= 1;
    shown = id;
    words.textContent = text(full ? "chat_full" : "chat_long");
    places.observe(document.documentElement, { childList: true, subtree: true });
    place();
  };

  const look = async () => {
    const id = current();
    if (!id) return hide();
    const query = hasKey() ? "?own_key=yes" : "";
    const answer = await fetch(`conversations/${encodeURIComponent(id)}/fullness${query}`, { cache: "no-store" }).catch(() => null);
    const { used = 0 } = answer?.ok ? await answer.json() : {};
    if (id !== current()) return;
    if (used >= NEAR) show(id, used);
    else hide();
  };

  // The summary becomes the draft of a new chat, which the page finds in its box.
  const fresh = (summary) => {
    storage((s) => {
      s.setItem("streamchat.draft", `${text("summary_before")}\n\n${summary.trim()}\n\n`);
      for (const name of ["tab", "asked", "once", "sent"]) s.removeItem(`streamchat.${name}`);
    });
    location.assign(location.pathname);
  };
  const summarise = async () => {
    const id = shown;
    go.disabled = true;
    words.textContent = text("writing_summary");
    const answer = await fetch(`conversations/${encodeURIComponent(id)}/summary`, {
      method: "POST", headers: window.streamchat.ownKey?.() ?? {},
    }).catch(() => null);
    const { summary, message } = await answer?.json().catch(() => ({})) ?? {};
    go.disabled = false;
    if (id !== current()) return;
    if (summary) return fresh(summary);
    words.textContent = text("no_summary", { reason: message ?? text("unreachable_reason") });
  };
  go.addEventListener("click", summarise);

  let busy = false;
  new MutationObserver(() => {
    const was = busy;
    busy = document.documentElement.hasAttribute("data-answering");
    if (was && !busy) look();
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-answering"] });
  let opened = null;
  document.addEventListener("streamchat:conversation", ({ detail: { id } }) => {
    if (id === opened) return;
    opened = id;
    if (id !== shown) hide();
    if (id) look();
  });
  document.addEventListener("streamchat:key", () => { if (shown) look(); });
})();
