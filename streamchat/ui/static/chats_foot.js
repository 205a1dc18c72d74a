// Below the list: all conversations at once are brought in, taken out or deleted.
(() => {
  const { make, text, counted, toast, tried, saved, sidebar, chats } = window.streamchat;
  const { aside, foot } = sidebar;
  const LARGEST = 8_000_000; // bytes that the server takes
  const button = (label, onclick) => make("button", { type: "button", className: "sc-button", textContent: label, onclick });

  const read = async (file) => {
    if (file.size > LARGEST) throw new Error(text("import_too_large", { most: LARGEST / 1e6 }));
    try {
      return JSON.parse(await file.text());
    } catch {
      throw new Error(text("import_not_json"));
    }
  };
  const take = async (file) => {
    const { imported } = await saved.take(await read(file));
    toast(imported ? counted("imported", imported) : text("import_empty"));
    chats.refresh();
  };
  const picker = make("input", { type: "file", accept: ".json,application/json", hidden: true, ariaLabel: text("file_to_import") });
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
    toast(counted("deleted_all", answer.deleted), { action: text("undo"), act: () => tried(restore), seconds: 10 });
  };
  const cancel = button(text("cancel"), () => dialog.close());
  const sure = button(text("delete_all"), removeAll);
  sure.classList.add("danger");
  const dialog = make("dialog", { className: "side-dialog" },
    make("h2", { id: "delete-all-title", textContent: text("delete_all_title") }),
    make("p", { textContent: text("delete_all_means") }),
    make("div", {}, cancel, sure));
  dialog.setAttribute("aria-labelledby", "delete-all-title");
  sidebar.atEscape(() => dialog.open && (dialog.close(), true));

  const all = [button(text("export_all"), () => tried(saved.exportAll)), button(text("delete_all"), () => dialog.showModal())];
  for (const one of all) one.classList.add("of-all");
  foot.append(button(text("import"), () => picker.click()), ...all, picker);
  aside.append(dialog);
})();
