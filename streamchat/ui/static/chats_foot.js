// Below the list: all conversations at once are brought in, taken out or deleted.
(() => {
  const { make, toast, tried, saved, sidebar, chats } = window.streamchat;
  const { aside, foot } = sidebar;
  const LARGEST = 8_000_000; // bytes that the server takes
  const count = (n) => `${n} conversation${n === 1 ? "" : "s"}`;
  const text = (label, onclick) => make("button", { type: "button", className: "sc-button", textContent: label, onclick });

  const read = async (file) => {
    if (file.size > LARGEST) throw new Error(`This file is larger than ${LARGEST / 1e6} MB.`);
    try {
      return JSON.parse(await file.text());
    } catch {
      throw new Error("This is no file of conversations: it is not JSON.");
    }
  };
  const take = async (file) => {
    const { imported } = await saved.take(await read(file));
    toast(imported ? `Imported ${count(imported)}.` : "This file has no conversations.");
    chats.refresh();
  };
  const picker = make("input", { type: "file", accept: ".json,application/json", hidden: true, ariaLabel: "File to import" });
  picker.addEventListener("change", async () => {
    const [file] = picker.files;
    if (file) await tried(() => take(file));
    picker.value = "";
  });

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
    make("p", { textContent: "They are removed from this chat, and links to them end." }),
    make("div", {}, cancel, sure));
  dialog.setAttribute("aria-labelledby", "delete-all-title");
  sidebar.atEscape(() => dialog.open && (dialog.close(), true));

  const all = [text("Export all", () => tried(saved.exportAll)), text("Delete all", () => dialog.showModal())];
  for (const one of all) one.classList.add("of-all");
  foot.append(text("Import", () => picker.click()), ...all, picker);
  aside.append(dialog);
})();
