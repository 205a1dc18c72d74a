// Below the list: all conversations are deleted at once.
(() => {
  const { make, toast, tried, saved, sidebar, chats } = window.streamchat;
  const { aside, foot } = sidebar;
  const count = (n) => `${n} conversation${n === 1 ? "" : "s"}`;
  const text = (label, onclick) => make("button", { type: "button", className: "sc-button", textContent: label, onclick });

  const removeAll = async () => {
    dialog.close();
    const answer = await tried(saved.removeAll);
    if (!answer) return;
    window.streamchat.conversations.fresh();
    await chats.refresh();
    const restore = async () => { await saved.restoreAll(); await chats.refresh(); };
    toast(`Deleted ${count(answer.deleted)}.`, { action: "Undo", act: () => tried(restore), seconds: 10 });
  };
  const cancel = text("Cancel", () => dialog.close());
  const sure = text("Delete all", removeAll);
  sure.classList.add("danger");
  const dialog = make("dialog", { className: "side-dialog" },
    make("h2", { id: "delete-all-title", textContent: "Delete all conversations?" }),
    make("p", { textContent: "They are removed from this chat." }),
    make("div", {}, cancel, sure));
  dialog.setAttribute("aria-labelledby", "delete-all-title");
  sidebar.atEscape(() => dialog.open && (dialog.close(), true));

  foot.append(text("Delete all", () => dialog.showModal()));
  aside.append(dialog);
})();
