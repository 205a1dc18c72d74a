// A dialog about the link to a conversation: makes it, copies it, brings it up to date and withdraws it.
(() => {
  const { make, text, saved, sidebar, chats, tried, about, dialog, addToMenu, menu, actions } = window.streamchat;
  if (!about.shares) return;
  const readers = text(about.sharesWithUsers ? "share_with_users" : "share_with_all");
  const button = (label, onclick, more = "") => make("button", { type: "button", className: `sc-button ${more}`, textContent: label, onclick });
  const row = (...children) => make("div", { className: "sc-actions" }, ...children);
  let open = null; // the dialog

  const copy = async (box, tell) => {
    try {
      await navigator.clipboard.writeText(box.value);
      tell(text("copied"));
    } catch { // the browser does not let the page do that
      box.focus();
      tell(text("link_selected"));
    }
  };
  const unshared = (publish) => [make("p", { textContent: text("share_new", { readers }) }), row(button(text("make_link"), () => publish(text("link_made")), "sc-main"))];
  const shared = (url, publish, withdraw, tell) => {
    const value = new URL(url, document.baseURI).href;
    const box = make("input", { type: "url", readOnly: true, value, ariaLabel: text("link"), onfocus: () => box.select() });
    const update = () => publish(text("link_updated"));
    return [
      make("p", { textContent: text("share_old", { readers }) }),
      make("div", { className: "share-link" }, box, button(text("copy"), () => copy(box, tell), "sc-main")),
      row(button(text("stop_sharing"), withdraw, "danger"), button(text("update_link"), update)),
    ];
  };

  // What stands in the dialog, drawn anew when there is a link or none any more.
  const draw = (body, chat, tell) => {
    const change = async (work, sentence) => {
      try {
        chat.shared = await work();
      } catch ({ message }) {
        return tell(message);
      }
      chats.put(chat);
      draw(body, chat, tell);
      return tell(sentence);
    };
    const publish = (sentence) => change(async () => (await saved.share(chat.id)).url, sentence);
    const withdraw = () => change(async () => { await saved.unshare(chat.id); return null; }, text("link_withdrawn"));
    body.replaceChildren(...(chat.shared ? shared(chat.shared, publish, withdraw, tell) : unshared(publish)));
    body.querySelector("button").focus();
  };
  const share = async ({ id }) => {
    const chat = await tried(() => saved.item(id));
    if (!chat || open) return;
    const body = make("div");
    const status = make("p", { className: "share-status" });
    status.setAttribute("role", "status");
    open = dialog(text("share_title"), make("p", { className: "share-title", textContent: chat.title, dir: "auto" }), body, status);
    open.classList.add("share");
    open.addEventListener("close", () => { open = null; });
    draw(body, chat, (sentence) => { status.textContent = sentence; });
  };
  sidebar.atEscape(() => open && (open.close(), true));

  // The menu of the header is about the conversation that is open.
  const item = addToMenu(text("share"), "share", () => share({ id: window.streamchat.conversations.current() }));
  menu.addEventListener("beforetoggle", () => { item.hidden = !window.streamchat.conversations.current(); });
  actions.share = share;
})();
