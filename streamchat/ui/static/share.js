// A dialog about the link to a conversation: makes it, copies it, brings it up to date and withdraws it.
(() => {
  const { make, saved, sidebar, chats, tried, about, dialog, addToMenu, menu, actions } = window.streamchat;
  const READERS = about.sharesWithUsers
    ? "Everybody who can log in here and has the link can read it."
    : "Everybody who has the link can read it.";
  const SHOWN = "It shows the questions and answers as they are now, without your name. What you write later is not in it.";
  const button = (label, onclick, more = "") => make("button", { type: "button", className: `sc-button ${more}`, textContent: label, onclick });
  let open = null; // the dialog

  const addressOf = (url) => new URL(url, document.baseURI).href;
  const copied = async (box, tell) => {
    try {
      await navigator.clipboard.writeText(box.value);
      tell("Copied.");
    } catch { // the browser does not let the page do that
      box.focus();
      box.select();
      tell("Select the link and copy it.");
    }
  };

  // What the dialog says of a conversation, which is drawn anew when its link is made or withdrawn.
  const draw = (body, chat, tell) => {
    const put = (shared) => {
      Object.assign(chat, { shared });
      chats.put(chat);
      draw(body, chat, tell);
    };
    const publish = async (sentence) => {
      const answer = await tried(() => saved.share(chat.id));
      if (!answer) return;
      put(answer.url);
      tell(sentence);
    };
    const withdraw = async () => {
      if (!await tried(() => saved.unshare(chat.id))) return;
      put(null);
      tell("The link no longer works.");
    };
    body.replaceChildren(...(chat.shared ? shared(chat, publish, withdraw, tell) : notShared(publish)));
    body.querySelector("button").focus();
  };
  const notShared = (publish) => [
    make("p", { textContent: `Make a link to this conversation. ${READERS} ${SHOWN}` }),
    make("div", { className: "sc-actions" }, button("Make a link", () => publish("Here is your link."), "sc-main")),
  ];
  const shared = (chat, publish, withdraw, tell) => {
    const box = make("input", { type: "url", readOnly: true, value: addressOf(chat.shared), ariaLabel: "Link", onfocus: () => box.select() });
    return [
      make("p", { textContent: `${READERS} It shows the conversation as it was when you made the link or updated it.` }),
      make("div", { className: "share-link" }, box, button("Copy", () => copied(box, tell), "sc-main")),
      make("div", { className: "sc-actions" }, button("Stop sharing", withdraw, "danger"),
        button("Update link", () => publish("The link now shows the conversation as it is."))),
    ];
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
  if (!about.shares) return;

  // The menu of the header is about the conversation that is open.
  const item = addToMenu("Share", "share", () => share({ id: window.streamchat.conversations.current() }));
  menu.addEventListener("beforetoggle", () => { item.hidden = !window.streamchat.conversations.current(); });
  actions.share = share;
})();
