// Saved conversations: the one that the page shows, its address (`?c=<id>`), and the way from one to another.
(() => {
  const { about, text, gradio: { addresses, elements, event, asks } } = window.streamchat;
  const QUIET = 80; // ms without a request, after which Gradio has told its server all that was shown
  const PATIENCE = 3_000; // ms
  const NAMING = 700; // ms between two looks for a name that is on its way
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const isBusy = () => document.documentElement.hasAttribute("data-answering");
  const inAddress = () => new URLSearchParams(location.search).get("c") ?? "";

  let wanted = inAddress() || null; // null: what this tab showed last
  let shown = ""; // the id that the page has
  let title = null; // of a conversation that is saved, null before the first question
  let choices = 0;
  let arrived = () => {};
  let isWhole = () => {};

  const tell = () => document.dispatchEvent(new CustomEvent("streamchat:conversation", {
    detail: { id: title === null ? null : shown, title, running: isBusy() },
  }));
  const setAddress = (id, how) => {
    if (inAddress() !== id) history[how](history.state, "", id ? `?c=${id}` : location.pathname);
  };
  const item = async (path) => {
    const response = await fetch(path, { cache: "no-store" }).catch(() => null);
    return response?.ok ? response.json() : null;
  };
  const isSaved = (found) => {
    if (found?.id !== shown) return false;
    title = found.title;
    setAddress(shown, "replaceState");
    tell();
    if (found.naming) named(found.id);
    return true;
  };
  let unnamed = null; // the id of one that gets its name from Claude soon after its first answer
  const named = async (id) => {
    if (unnamed === id) return;
    unnamed = id;
    let found = null;
    do {
      await pause(NAMING);
      found = await item(`conversations/${id}`);
    } while (found?.naming && id === shown);
    unnamed = null;
    isSaved(found);
  };

  // The page's first event, and each that follows a choice, claims what it is to show.
  window.streamchat.wanted = () => wanted;
  window.streamchat.isShown = async (id) => {
    const found = id === wanted || wanted === null;
    shown = id;
    title = null;
    arrived();
    if (!found) setAddress("", "replaceState");
    const { conversations = [] } = found ? await item("conversations?limit=100") ?? {} : {};
    const saved = conversations.find((one) => one.id === id) ?? (found && wanted ? await item(`conversations/${id}`) : null);
    if (id === shown && !isSaved(saved)) tell();
  };

  let asking = 0; // requests on their way
  let last = 0; // when one ended
  const rest = async () => { // until what was shown before is told and over
    const until = performance.now() + PATIENCE;
    while ((isBusy() || asking || performance.now() - last < QUIET) && performance.now() < until) await pause(20);
  };
  const claim = async (id) => {
    const done = new Promise((resolve) => { arrived = resolve; });
    wanted = id;
    window.streamchat.claimAgain();
    document.getElementById("switch").click();
    await Promise.race([done, pause(PATIENCE)]);
  };
  const choose = async (id, choice) => {
    if (isBusy() && id !== shown) await claim(""); // the answer goes on without this page
    await rest();
    if (choice !== choices) return;
    const whole = new Promise((resolve) => { isWhole = resolve; });
    await claim(id);
    await Promise.race([whole, pause(PATIENCE)]);
  };
  const show = async (id) => { // composer.js sends no message meanwhile
    const choice = ++choices;
    document.documentElement.toggleAttribute("data-switching", true);
    await choose(id, choice);
    if (choice === choices) document.documentElement.removeAttribute("data-switching");
  };
  const open = async (id) => {
    setAddress(id, "pushState");
    await show(id);
  };
  addEventListener("popstate", () => { if (inAddress() !== (title === null ? "" : shown)) show(inAddress()); });

  // Other windows on the same conversation show what is asked in this one.
  const others = typeof BroadcastChannel === "function" ? new BroadcastChannel("streamchat") : null;
  others?.addEventListener("message", ({ data }) => { if (data === shown && !isBusy()) show(shown); });
  let isMine = false; // whether this page has asked for the answer that it shows

  const asked = async () => {
    const id = shown;
    isMine = true;
    for (const wait of [100, 400, 1_000, 3_000]) {
      await pause(wait);
      if (id !== shown) return;
      const { conversations = [] } = await item("conversations?limit=1") ?? {};
      if (isSaved(conversations[0])) return others?.postMessage(shown);
    }
  };
  const ended = async () => {
    if (title !== null && isMine) {
      isMine = false;
      others?.postMessage(shown);
      isSaved(await item(`conversations/${shown}`));
    }
  };
  new MutationObserver(() => { tell(); if (isBusy()) isWhole(); else ended(); })
    .observe(document.documentElement, { attributeFilter: ["data-answering"] });

  const fetched = window.fetch;
  window.fetch = async (resource, options) => {
    const url = String(resource?.url ?? resource);
    const joins = url.includes(addresses.join);
    if (!joins && !url.includes(addresses.call)) return fetched(resource, options);
    asking++;
    try {
      const response = await fetched(resource, options);
      const id = joins && response.ok ? JSON.parse(options.body).fn_index : null;
      if (id !== null && (asks(id) || event(id)?.api_name === "go_on")) asked();
      if (!joins && event(JSON.parse(options.body).fn_index)?.api_name === "found") isWhole();
      return response;
    } finally {
      asking--;
      last = performance.now();
    }
  };

  // A conversation is saved when its first answer begins, which may be a moment after its question.
  const isKept = async (id) => {
    for (const wait of about.keeps ? [0, 400, 1_000] : []) {
      await pause(wait);
      if (await item(`conversations/${encodeURIComponent(id)}`)) return true;
    }
    return false;
  };
  const fresh = async () => {
    const left = title === null && document.querySelector(elements.question) ? shown : "";
    await open("");
    if (!left) return;
    if (await isKept(left)) return tell(); // and the list shows it
    window.streamchat.toast(text("new_chat_begun"), { action: text("go_back"), act: () => open(left), seconds: 10 });
  };

  window.streamchat.conversations = {
    current: () => (title === null ? null : shown),
    open,
    again: async () => { await show(shown); others?.postMessage(shown); }, // after a change of what it shows
    fresh,
  };
})();
