// Below the list: all conversations at once are brought in, taken out or deleted.
(() => {
  const { make, text, counted, toast, tried, saved, sidebar, chats } = window.streamchat;
  const { aside, foot } = sidebar;
  const LARGEST = 500_000_000; // bytes of a file
  const PART = 12_000_000; // characters of conversations that are sent at once; the server takes a little more
  const SAID = 3; // sentences about files that were left out
  const button = (label, onclick) => make("button", { type: "button", className: "sc-button", textContent: label, onclick });

  const read = async (file) => {
    if (file.size > LARGEST) throw new Error(text("import_too_large", { most: LARGEST / 1e6 }));
    try {
      return JSON.parse(await file.text());
    } catch {
      throw new Error(text("import_not_json"));
    }
  };
  const idsOf = ({ messages, versions }) => [messages, ...[versions ?? []].flat().map((turn) => turn?.messages)]
    .flat().flatMap((message) => message?.files ?? []).map((file) => file?.id);
  const partOf = (whole, conversations) => { // with the files of these conversations alone
    const ids = new Set(conversations.flatMap(idsOf));
    const files = Object.fromEntries(Object.entries(whole.files ?? {}).filter(([id]) => ids.has(id)));
    return { ...whole, conversations, ...(whole.files ? { files } : {}) };
  };
  const partsOf = (whole) => {
    if (!Array.isArray(whole?.conversations) || JSON.stringify(whole).length <= PART) return [whole];
    const groups = [[]];
    let size = 0;
    for (const one of whole.conversations) {
      const own = JSON.stringify(partOf(whole, [one])).length;
      if (size && size + own > PART) { groups.push([]); size = 0; }
      groups.at(-1).push(one);
      size += own;
    }
    return groups.map((group) => partOf(whole, group)).reverse(); // the first conversation becomes the newest
  };
  const take = async (file) => {
    let number = 0;
    const leftOut = [];
    for (const part of partsOf(await read(file))) {
      const { imported, left_out: sentences = [] } = await saved.take(part);
      number += imported;
      leftOut.push(...sentences);
    }
    const more = leftOut.length > SAID ? [counted("more_left_out", leftOut.length - SAID)] : [];
    const told = number ? counted("imported", number) : text("import_empty");
    toast([told, ...leftOut.slice(0, SAID), ...more].join(" "), { seconds: leftOut.length ? 30 : 6 });
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
