// A dialog about the link to a conversation: makes it, copies it, brings it up to date and withdraws it.
(() => {
  const { make, saved, sidebar, chats, tried, about, dialog, addToMenu, menu, actions } = window.streamchat;
  if (!about.shares) return;
  const READERS = about.sharesWithUsers
    ? "Everybody who can log in here and has the link can read it."
    : "Everybody who has the link can read it.";
  const NEW = `Make a link to this conversation. ${READERS} It shows the questions and answers as they are now, without your name and your files. What you write later is not in it.`;
  const OLD = `${READERS} It shows the conversation as it was when you made the link or updated it.`;
  const button = (label, onclick, more = "") => make("button", { type: "button", className: `sc-button ${more}`, textContent: label, onclick });
  const row = (...children) => make("div", { className: "sc-actions" }, ...children);
  let open = null; // the dialog

  const copy = async (box, tell) => {
    try {
      await navigator.clipboard.writeText(box.value);
      tell("Copied.");
    } catch { // the browser does not let the page do that
      box.focus();
      tell("The link is selected. Copy it.");
    }
  };
  const unshared = (publish) => [make("p", { textContent: NEW }), row(button("Make a link", () => publish("Here is your link."), "sc-main"))];
  const shared = (url, publish, withdraw, tell) => {
    const value = new URL(url, document.baseURI).href;
    const box = make("input", { type: "url", readOnly: true, value, ariaLabel: "Link", onfocus: () => box.select() });
    const update = () => publish("The link now shows the conversation as it is.");
    return [
      make("p", { textContent: OLD }),
      make("div", { className: "share-link" }, box, button("Copy", () => copy(box, tell), "sc-main")),
      row(button("Stop sharing", withdraw, "danger"), button("Update link", update)),
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
    const withdraw = () => change(async () => { await saved.unshare(chat.id); return null; }, "The link no longer works.");
    body.replaceChildren(...(chat.shared ? shared(chat.shared, publish, withdraw, tell) : unshared(publish)));
    body.querySelector("button").focus();
  };
  const share = async ({ id }) => {
    const chat = await tried(() => saved.item(id));
    if (!chat || open) return;
    const body = make("div");
    const status = make("p", { className: "share-status" });
    status.setAttribute("role", "status");
    open = dialog("Share conversation", make("p", { className: "share-title", textContent: chat.title, dir: "auto" }), body, status);
    open.classList.add("share");
    open.addEventListener("close", () => { open = null; });
    draw(body, chat, (sentence) => { status.textContent = sentence; });
  };
  sidebar.atEscape(() => open && (open.close(), true));

  // The menu of the header is about the conversation that is open.
  const item = addToMenu("Share", "share", () => share({ id: window.streamchat.conversations.current() }));
  menu.addEventListener("beforetoggle", () => { item.hidden = !window.streamchat.conversations.current(); });
  actions.share = share;
})();
