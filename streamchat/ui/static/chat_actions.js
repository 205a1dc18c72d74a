// What a reader does with one saved conversation: rename, delete, and take that back.
(() => {
  const { make, text, toast, saved, sidebar, chats } = window.streamchat;
  const { aside } = sidebar;
  const UNDO = 10; // s in which a deletion can be taken back
  const LONGEST = 120; // characters of a title

  const tried = async (work) => { // what fails is told in one sentence
    try {
      return await work();
    } catch ({ message }) {
      toast(message);
      return null;
    }
  };

  const rename = (chat, row) => {
    const link = row.querySelector(".chat");
    const box = make("input", { className: "chat-name", value: chat.title, maxLength: LONGEST, ariaLabel: text("conversation_name") });
    let ended = false;
    const end = (keep, refocus) => {
      if (ended) return;
      ended = true;
      const title = box.value.trim();
      box.replaceWith(link);
      chats.hold(null);
      if (refocus) chats.focus(row);
      if (keep && title && title !== chat.title) name(chat, title);
    };
    chats.hold(row);
    link.replaceWith(box);
    box.addEventListener("blur", () => end(true, false));
    box.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) end(true, true); });
    endRename = () => (ended ? false : (end(false, true), true));
    box.focus();
    box.select();
  };
  let endRename = () => false;
  sidebar.atEscape(() => endRename());
  const name = async (chat, title) => {
    chats.put({ ...chat, title }); // before the server has it
    chats.put(await tried(() => saved.rename(chat.id, title)) ?? chat);
  };

  const remove = async (chat) => {
    const { conversations } = window.streamchat;
    const wasShown = conversations.current() === chat.id;
    chats.drop(chat.id);
    if (wasShown) conversations.fresh();
    const gone = saved.remove(chat.id);
    const restore = async () => {
      await gone;
      chats.put(await saved.restore(chat.id));
      if (document.activeElement === document.body) chats.focus(chats.row(chat.id));
      if (wasShown) conversations.open(chat.id);
    };
    const takeBack = () => { undo = null; close(); tried(restore); };
    const close = toast(text("deleted", { title: chat.title }), { action: text("undo"), act: takeBack, seconds: UNDO });
    undo = takeBack;
    if (await tried(() => gone)) return;
    close();
    chats.put(chat);
  };
  let undo = null; // takes the last deletion back

  aside.addEventListener("keydown", (event) => {
    if (!undo || !(event.ctrlKey || event.metaKey) || event.key !== "z" || event.target.matches("input")) return;
    event.preventDefault();
    undo();
  });

  Object.assign(window.streamchat, { tried, actions: { rename, remove } });
})();
