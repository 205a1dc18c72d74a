// Adds headers to a question: the visitor's own key, and a key by which the server knows a question that is sent again.
(() => {
  const { make, text, gradio: { elements, addresses, event, first, isOfBox, asks } } = window.streamchat;
  const storage = (use) => { try { return use(sessionStorage); } catch { return null; } };
  const kept = (name) => storage((s) => s.getItem(`streamchat.${name}`)) ?? "";
  const keep = (name, value) => storage((s) => s.setItem(`streamchat.${name}`, value));
  const drop = (...names) => names.forEach((name) => storage((s) => s.removeItem(`streamchat.${name}`)));

  // The draft is what was typed last. It has a key of its own (`once`) from when it is sent as `asked` until the server has it
  // (`sent` is then the id of its conversation, or "yes" before it has one) and something else is typed.
  const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const keyOfDraft = () => (kept("once") && kept("asked") === kept("draft") ? kept("once") : random());
  const isBack = () => drop("sent");
  Object.assign(window.streamchat, { keyOfDraft, isBack });

  document.addEventListener("input", ({ target }) => { // not through Gradio, which passes nothing on while it is cut off
    if (!target.matches("#message textarea")) return;
    const whole = target.value.toWellFormed?.() ?? target.value; // half a character is more than Gradio can send
    if (whole !== target.value) target.value = whole;
    if (kept("sent")) drop("asked", "once", "sent");
    keep("draft", whole);
  }, true);

  // The visitor's own key travels as a header: as a component's value it would be kept on the server. It is kept nowhere, so
  // that it is gone when the page is loaded again; then nothing goes out at the owner's expense before the visitor says so.
  const key = Object.assign(document.createElement("input"), {
    type: "password", placeholder: "sk-ant-...", ariaLabel: text("api_key"), autocomplete: "off", spellcheck: false, maxLength: 1000,
  });
  const waiting = []; // questions, as functions that say whether they go out
  let isGone = kept("own-key") === "used";
  const bar = document.createElement("div");
  const placeBar = () => { if (!bar.isConnected) document.querySelector("#message")?.closest(elements.boxRow)?.before(bar); };
  const places = new MutationObserver(placeBar);
  const settled = () => {
    isGone = false;
    places.disconnect();
    bar.remove();
    waiting.splice(0).forEach((go) => go(true));
  };
  window.streamchat.hasKey = () => Boolean(key.value.trim());
  const typed = () => {
    document.dispatchEvent(new CustomEvent("streamchat:key"));
    if (key.value.trim()) keep("own-key", "used");
    else if (!isGone) drop("own-key");
  };
  key.addEventListener("input", typed);
  key.addEventListener("change", () => { if (key.value.trim()) settled(); });

  const panel = make("dialog", { id: "own-key", className: "sc-dialog" });
  const form = make("form", { method: "dialog" },
    make("h2", { textContent: text("own_key") }),
    make("p", { textContent: text("own_key_means") }),
    key,
    make("div", { className: "sc-actions" },
      make("button", { className: "sc-button", type: "button", textContent: text("remove"), onclick: () => { key.value = ""; typed(); panel.close(); } }),
      make("button", { className: "sc-button sc-main", textContent: text("done") })));
  panel.append(form);
  panel.addEventListener("close", () => { if (key.value.trim()) settled(); });
  const enterKey = () => {
    if (!panel.isConnected) document.body.append(panel);
    if (!panel.open) panel.showModal();
    key.focus();
  };
  window.streamchat.enterKey = enterKey;
  const goOn = () => { drop("own-key"); settled(); };
  const button = (textContent, onclick) => Object.assign(document.createElement("button"), { type: "button", textContent, onclick });
  const warn = () => {
    bar.id = "key-gone";
    bar.setAttribute("role", "alert");
    bar.replaceChildren(
      `${text("own_key_gone")} `, button(text("enter_key_again"), enterKey), " ", button(text("go_on_without_key"), goOn),
    );
    places.observe(document.documentElement, { childList: true, subtree: true });
    placeBar();
  };
  if (isGone) warn();
  const chosen = () => {
    if (isGone && key.value.trim()) settled();
    if (!isGone) return true;
    bar.querySelector("button").focus();
    return new Promise((resolve) => waiting.push(resolve));
  };

  document.addEventListener("click", ({ target }) => {
    if (target.closest(elements.stop)) waiting.splice(0).forEach((go) => go(false));
  }, true);
  const unsent = () => new Response(JSON.stringify({ detail: text("unsent") }), { status: 409 });

  const withOwnKey = (headers) => {
    const bytes = new TextEncoder().encode(key.value.trim());
    if (bytes.length) headers.set("X-Api-Key", String.fromCharCode(...bytes));
  };

  window.streamchat.ownKey = () => { const headers = new Headers(); withOwnKey(headers); return headers; };

  const withOptions = (headers) => {
    const chosen = window.streamchat.options?.header();
    if (chosen) headers.set("X-Options", chosen);
  };

  const withVersion = (options) => {
    const leaf = window.streamchat.version.leaf();
    if (leaf === null) return options;
    const headers = new Headers(options.headers);
    headers.set("X-Version", leaf);
    return { ...options, headers };
  };

  const fetched = window.fetch;
  const PAUSES = [500, 1_500, 3_000]; // ms before a message is sent again whose connection was lost
  const persistently = async (...request) => {
    for (const pause of PAUSES) {
      const response = await fetched(...request).catch(() => null);
      if (response && response.status !== 429) return response; // while the server still works on what was lost
      await new Promise((go) => setTimeout(go, pause));
    }
    return fetched(...request);
  };
  const putBack = (message) => { // into the box, which Gradio has emptied
    const box = document.querySelector("#message textarea");
    if (!box || box.value) return;
    box.value = message;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const send = async (resource, options, message) => {
    const isDraft = message !== null && message === kept("draft") && !kept("sent");
    const once = isDraft ? keyOfDraft() : random(); // an example, or a question that is asked again on purpose
    if (isDraft) { keep("once", once); keep("asked", message); }
    options.headers.set("Idempotency-Key", once);
    try {
      const response = await persistently(resource, options);
      if (isDraft && response.ok) keep("sent", kept("tab") || "yes");
      if (response.ok && message !== null) window.streamchat.showSent?.(window.streamchat.attachments?.sent() ?? []);
      return response;
    } catch (error) {
      if (isDraft) putBack(message);
      throw error;
    }
  };

  // events that go out beside a question, or ask for the rest of an answer
  const WITH_QUESTIONS = ["go_on", "watch", "watch_example", "watch_edited"];
  let message = null; // that is on its way from the box
  window.fetch = async (resource, given) => {
    const url = String(resource?.url ?? resource);
    if (!url.includes(addresses.call) && !url.includes(addresses.join)) return fetched(resource, given);
    const options = withVersion(given);
    const { fn_index: id, data } = JSON.parse(options.body);
    if (!url.includes(addresses.join)) {
      if (isOfBox(id) && first(id).id === id) [message] = data;
      if (event(id)?.api_name === "undo") window.streamchat.takenBack?.();
      const response = await fetched(resource, options);
      if (["undo", "clear"].includes(event(id)?.api_name)) window.streamchat.version.look();
      return response;
    }
    if (asks(id)) window.streamchat.version.forget();
    if ((asks(id) || WITH_QUESTIONS.includes(event(id)?.api_name)) && !await chosen()) return unsent();
    const headers = new Headers(options.headers);
    withOwnKey(headers);
    if (asks(id) || event(id)?.api_name === "go_on") withOptions(headers);
    const isRetry = first(id)?.targets.some(([, name]) => name === "retry");
    const files = asks(id) && (isOfBox(id) ? window.streamchat.attachments?.header() : isRetry && window.streamchat.refused?.());
    if (files) headers.set("X-Files", files);
    if (!asks(id)) return fetched(resource, { ...options, headers });
    return send(resource, { ...options, headers }, isOfBox(id) ? message : null);
  };
})();
