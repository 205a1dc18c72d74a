// The frame of the sidebar: beside the page where there is room for both, else a sheet above it. Other scripts fill it.
(() => {
  const { make, button, text, about } = window.streamchat;
  const WIDE = matchMedia("(min-width: 900px)");
  const KEPT = "streamchat.sidebar";
  const storage = (use) => { try { return use(localStorage); } catch { return null; } }; // blocked in some frames
  const isKeptClosed = () => storage((s) => s.getItem(KEPT)) === "closed";
  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

  const fresh = () => { leave(); window.streamchat.conversations.fresh(); };
  const newChat = () => {
    const it = button(text("new_chat_keys", { keys: text(isMac ? "keys_mac" : "keys") }), "pencil", fresh);
    Object.assign(it, { ariaLabel: text("new_chat") }).setAttribute("aria-keyshortcuts", "Control+Shift+O Meta+Shift+O");
    return it;
  };
  const label = make("span", { className: "named", textContent: text("new_chat") });
  const begun = newChat();
  begun.append(label);
  const toggle = button(text("conversations"), "panel", () => show(aside.hidden));
  toggle.setAttribute("aria-controls", "sidebar");

  const search = make("input", { type: "search", placeholder: text("search"), ariaLabel: text("search_conversations"), autocomplete: "off", maxLength: 200 });
  const list = make("nav", { id: "chats", ariaLabel: text("conversations") });
  const status = make("p", { id: "chats-status" });
  status.setAttribute("role", "status");
  const foot = make("div", { className: "side-foot" });
  const close = button(text("close"), "close", () => show(false));
  const head = make("div", { className: "side-head" }, make("h2", { textContent: text("conversations") }), newChat(), close);
  const aside = make("aside", { id: "sidebar", ariaLabel: text("saved_conversations"), hidden: true }, head, search, list, status, foot);
  const backdrop = make("div", { id: "sidebar-backdrop", hidden: true, onclick: () => show(false) });

  const isSheet = () => !WIDE.matches;
  const covered = () => [...document.body.children].filter((one) => ![aside, backdrop].includes(one) && one.id !== "toasts");
  const lay = () => { // as the width of the page has it
    const open = !aside.hidden;
    const sheet = open && isSheet();
    backdrop.hidden = !sheet;
    for (const one of covered()) one.inert = sheet;
    aside.setAttribute("role", isSheet() ? "dialog" : "complementary");
    aside.setAttribute("aria-modal", String(sheet));
    document.body.classList.toggle("has-sidebar", open && !sheet);
    toggle.setAttribute("aria-expanded", String(open));
  };
  const show = (open) => {
    if (open !== aside.hidden) return;
    const focused = aside.contains(document.activeElement);
    aside.hidden = !open;
    lay();
    if (!isSheet()) storage((s) => s.setItem(KEPT, open ? "open" : "closed"));
    if (open && isSheet()) close.focus();
    if (!open && (focused || isSheet())) toggle.focus();
    if (open) aside.dispatchEvent(new Event("shown"));
  };
  const leave = () => { if (isSheet()) show(false); }; // something was chosen

  // Escape ends the innermost of what is open here, before it would stop an answer.
  const ends = [];
  const escaped = () => ends.some((end) => end()) || (isSheet() && !aside.hidden && (show(false), true));
  window.addEventListener("keydown", (event) => {
    const isShortcut = (event.ctrlKey || event.metaKey) && event.shiftKey && !event.altKey && event.key.toLowerCase() === "o";
    const isUsed = isShortcut ? (fresh(), true) : event.key === "Escape" && !event.isComposing && escaped();
    if (!isUsed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  const begin = () => {
    const start = document.getElementById("bar-start");
    if (!about.keeps) return start.append(begun); // there is nothing to list
    start.append(toggle, begun);
    document.getElementById("bar").after(aside, backdrop);
    const fit = () => { aside.hidden = isSheet() || isKeptClosed(); lay(); };
    WIDE.addEventListener("change", fit);
    return fit();
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  Object.assign(window.streamchat, { sidebar: { aside, search, list, status, foot, leave, atEscape: (end) => ends.push(end) } });
})();
