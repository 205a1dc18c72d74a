// The list in the sidebar: conversations by day, newest first. A page of them at a time is loaded, and more when it is scrolled.
(() => {
  const { make, about, text, saved, sidebar, rows: { dayOf, rowOf, rowBy } } = window.streamchat;
  const { aside, list, search, status } = sidebar;
  const PAGE = 50;
  const hidden = new Set(); // ids of those that are being deleted
  let chats = []; // as far as they are loaded
  let more = false;
  let query = "";
  let busy = null; // row in which something is typed

  const end = make("div", { className: "chats-end" });
  let drawn = ""; // which rows stand in which groups
  const group = (day, members) => make("section", {}, make("h3", { textContent: day }), make("ul", {}, ...members));
  const draw = () => {
    if (busy) return;
    const groups = new Map();
    for (const chat of chats.filter(({ id }) => !hidden.has(id))) {
      const day = dayOf(chat.at);
      if (!groups.has(day)) groups.set(day, []);
      groups.get(day).push(rowOf(chat));
    }
    const plan = JSON.stringify([...groups].map(([day, members]) => [day, members.map(({ dataset }) => dataset.id)]));
    if (plan !== drawn) place(groups);
    drawn = plan;
    if (!all().some((row) => row.firstChild.tabIndex === 0)) stopAt(list.querySelector("[data-shown]") ?? all()[0]);
    aside.toggleAttribute("data-empty", !chats.length && !query);
    tell();
  };
  const place = (groups) => {
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const { scrollTop } = list;
    list.replaceChildren(...[...groups].map(([day, members]) => group(day, members)), end);
    list.scrollTop = scrollTop;
    if (focused?.isConnected) focused.focus({ preventScroll: true });
  };

  // Loading: a list that cannot be had says so and tries again.
  let trouble = "";
  let tries = 0;
  let timer = 0;
  let loaded = false;
  const tell = () => {
    const nothing = text(query ? "none_found" : "none_saved");
    status.textContent = trouble || (loaded && !list.querySelector("li") ? nothing : "");
  };
  const failed = ({ message }, again) => {
    trouble = text("trying_again", { message });
    clearTimeout(timer);
    timer = setTimeout(again, Math.min(30, 2 ** ++tries) * 1000);
    tell();
  };
  const worked = () => {
    watch();
    trouble = "";
    tries = 0;
    loaded = true;
    clearTimeout(timer);
    if (!document.hidden && chats.some(({ running, naming }) => running || naming)) timer = setTimeout(refresh, 5_000);
    draw();
  };

  let request = null;
  const load = async (behind) => {
    request?.abort();
    const mine = request = new AbortController();
    try {
      return await saved.list({ query, behind, limit: PAGE, signal: mine.signal });
    } catch (error) {
      if (!mine.signal.aborted) failed(error, refresh);
      return null;
    } finally {
      if (request === mine) request = null;
    }
  };
  let asked = "";
  const refresh = async () => {
    if (!about.keeps) return;
    const wanted = query;
    const answer = await load();
    if (!answer) return;
    const ids = new Set(answer.conversations.map(({ id }) => id));
    const last = answer.conversations.at(-1)?.at;
    const further = answer.more && asked === wanted ? chats.filter(({ id, at }) => at <= last && !ids.has(id)) : [];
    more = further.length ? more : answer.more;
    asked = wanted;
    chats = [...answer.conversations, ...further];
    worked();
  };
  const loadMore = async () => {
    if (!more || request) return;
    const answer = await load(chats.at(-1));
    if (!answer) return;
    const ids = new Set(chats.map(({ id }) => id));
    chats.push(...answer.conversations.filter(({ id }) => !ids.has(id)));
    more = answer.more;
    worked();
  };
  // it tells again when the end is still in view
  const sight = new IntersectionObserver(([{ isIntersecting }]) => { if (isIntersecting) loadMore(); }, { root: list, rootMargin: "400px" });
  const watch = () => { sight.unobserve(end); sight.observe(end); };

  // Moving in the list: it is one stop of the Tab key, and arrows move in it.
  const all = () => [...list.querySelectorAll("li")];
  const stopAt = (row) => {
    if (!row) return;
    for (const one of list.querySelectorAll('[tabindex="0"]')) one.tabIndex = -1;
    for (const one of row.querySelectorAll(".chat, .chat-options")) one.tabIndex = 0;
  };
  const focus = (row) => (row ? row.querySelector(".chat, input") : search).focus();
  const move = (event, row) => {
    const places = all();
    const at = places.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: places.length - 1 }[event.key];
    if (to !== undefined) return focus(places[Math.min(to, places.length - 1)]), true;
    const side = { ArrowRight: ".chat-options", ArrowLeft: ".chat" }[event.key];
    return side ? (row.querySelector(side).focus(), true) : false;
  };
  list.addEventListener("focusin", ({ target }) => stopAt(target.closest("li")));
  list.addEventListener("keydown", (event) => {
    const row = event.target.closest("li");
    if (!row || row === busy || event.ctrlKey || event.metaKey || event.altKey) return;
    if (move(event, row)) event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const link = event.target.closest(".chat");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // the browser opens it beside
    event.preventDefault();
    window.streamchat.conversations.open(link.parentNode.dataset.id);
    sidebar.leave();
  });

  // Searching
  let typed = 0;
  const find = () => {
    const wanted = search.value.trim();
    if (wanted === query) return;
    query = wanted;
    list.scrollTop = 0;
    refresh();
  };
  search.addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(find, search.value ? 200 : 0); });
  search.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || !all().length) return;
    event.preventDefault();
    focus(all()[0]);
  });
  sidebar.atEscape(() => {
    if (document.activeElement !== search || !search.value) return false;
    search.value = "";
    find();
    return true;
  });

  // The list follows the page that it stands beside, and other windows when this one is looked at again.
  let soon = 0;
  document.addEventListener("streamchat:conversation", ({ detail }) => {
    const chat = chats.find(({ id }) => id === detail.id);
    if (chat) Object.assign(chat, { title: detail.title ?? chat.title, running: detail.running });
    draw();
    clearTimeout(soon);
    soon = setTimeout(refresh, 300);
  });
  const look = () => { if (!document.hidden && !aside.hidden) refresh(); };
  document.addEventListener("visibilitychange", look);
  addEventListener("online", look);
  aside.addEventListener("shown", look);
  const begin = () => { watch(); refresh(); };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  const put = (chat) => {
    hidden.delete(chat.id);
    const before = chats.find(({ id }) => id === chat.id);
    const now = { ...chat, snippet: chat.snippet ?? before?.snippet };
    if (!before && more && now.at <= chats.at(-1)?.at) return; // it comes with a later part of the list
    if (before?.at === now.at) chats = chats.map((one) => (one === before ? now : one));
    else chats = [...chats.filter((one) => one !== before), now].sort((one, other) => other.at - one.at);
    draw();
  };
  const drop = (id) => { // and the row that is next takes the focus
    const row = rowBy(id);
    const places = all();
    const next = row?.contains(document.activeElement) && (places[places.indexOf(row) + 1] ?? places[places.indexOf(row) - 1] ?? search);
    hidden.add(id);
    draw();
    if (next) focus(next === search ? null : next);
  };
  const hold = (row) => { busy = row; if (!row) draw(); };
  Object.assign(window.streamchat, {
    chats: { put, drop, hold, focus, refresh, of: (row) => chats.find(({ id }) => id === row?.dataset.id), row: rowBy, isEmpty: () => !chats.length },
  });
})();
