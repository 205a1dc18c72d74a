// The menu of a conversation in the sidebar, and its keys.
(() => {
  const { make, button: labelled, text, saved, sidebar, chats, tried, actions } = window.streamchat;
  const { aside, list } = sidebar;
  const { rename, remove, share } = actions;
  const choices = [
    [text("rename"), "pencil", rename, "F2"],
    ...(share ? [[text("share"), "share", share]] : []),
    [text("export_markdown"), "download", ({ id }) => tried(() => saved.export(id, "md"))],
    [text("export_json"), "download", ({ id }) => tried(() => saved.export(id, "json"))],
    [text("delete"), "trash", remove, text("delete_key")],
  ];

  const menu = make("div", { id: "chat-menu", className: "sc-menu", popover: "auto", ariaLabel: text("options") });
  menu.setAttribute("role", "menu");
  let from = null; // the button that opened it
  const close = () => {
    if (!menu.matches(":popover-open")) return false;
    menu.hidePopover();
    from.focus();
    return true;
  };
  const item = ([label, symbol, act, key], chat, row) => {
    const it = labelled(label, symbol, () => { close(); act(chat, row); }, { named: true });
    if (key) it.append(make("kbd", { textContent: key }));
    it.setAttribute("role", "menuitem");
    it.tabIndex = -1;
    return it;
  };
  const place = (button) => {
    const { bottom, top, right } = button.getBoundingClientRect();
    const { offsetHeight, offsetWidth } = menu;
    const below = bottom + offsetHeight < innerHeight ? bottom : Math.max(8, top - offsetHeight);
    menu.style.top = `${below}px`;
    menu.style.left = `${Math.max(8, Math.min(right - 32, innerWidth - offsetWidth - 8))}px`;
  };
  const open = (button) => {
    const row = button.closest("li");
    const chat = chats.of(row);
    from = button;
    menu.replaceChildren(...choices.map((choice) => item(choice, chat, row)));
    menu.showPopover();
    place(button);
    menu.firstChild.focus();
  };
  menu.addEventListener("toggle", ({ newState }) => from.setAttribute("aria-expanded", String(newState === "open")));
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab") close();
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length).focus();
  });
  sidebar.atEscape(close);
  list.addEventListener("scroll", () => { if (menu.matches(":popover-open")) place(from); }, { passive: true });

  list.addEventListener("click", ({ target }) => {
    const button = target.closest(".chat-options");
    if (button) open(button);
  });
  const keys = { F2: rename, Delete: remove };
  list.addEventListener("keydown", (event) => {
    const row = event.target.closest("li");
    const chat = chats.of(row);
    if (!chat || event.target.matches("input")) return;
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    keys[event.key](chat, row);
  });
  aside.append(menu);
})();
