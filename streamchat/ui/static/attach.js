// Files for the next message: chosen, dropped or pasted. The server checks each at once, and the message names them.
(() => {
  const { make, button, icon, about, text, gradio: { elements } } = window.streamchat;
  if (!about.files) return;
  const KINDS = "image/jpeg,image/png,image/gif,image/webp,application/pdf,text/*,.md,.csv,.json,.xml,.yaml,.yml,.toml,.ini,.log,.tex,"
    + ".py,.js,.ts,.jsx,.tsx,.c,.h,.cpp,.cs,.java,.kt,.go,.rs,.rb,.php,.swift,.sh,.ps1,.sql,.r,.ipynb";
  const MOST_NAME = 300; // characters
  const PATIENCE = 180; // seconds in which a busy server is asked again
  const LONGEST = 30; // that it may say until the next time

  let files = []; // of the next message: each with a chip, and an id once the server has it
  let isHeld = false; // a message that waits for them
  const isLoading = () => files.some(({ id }) => !id);

  const problem = make("p", { id: "file-problem", role: "alert" });
  const list = make("ul", { className: "sc-files", ariaLabel: text("files_of_message") });
  const bar = make("div", { id: "files" }, list, problem);
  const picker = make("input", { type: "file", multiple: true, accept: KINDS, hidden: true });
  const clip = button(text("add_files"), "clip", () => picker.click());
  clip.id = "attach";
  picker.onchange = () => { add(picker.files); picker.value = ""; };

  const place = () => {
    const row = document.querySelector("#message")?.closest(elements.boxRow);
    if (row && bar.nextElementSibling !== row) row.before(bar);
    if (row && clip.parentElement !== row) row.append(clip, picker);
  };
  new MutationObserver(place).observe(document.documentElement, { childList: true, subtree: true });
  const say = (sentence) => { problem.textContent = sentence; };
  const changed = () => {
    list.replaceChildren(...files.map(({ chip }) => chip));
    if (isHeld && !isLoading()) {
      isHeld = false;
      document.querySelector(elements.send)?.click();
    }
  };

  const drop = (one) => {
    clearTimeout(one.timer);
    one.request?.abort();
    URL.revokeObjectURL(one.picture);
    files = files.filter((it) => it !== one);
    changed();
  };
  const fail = (one, sentence) => {
    isHeld = false;
    drop(one);
    say(sentence);
    next();
  };
  const done = (one, told) => {
    if (files.some(({ id }) => id === told.id)) return drop(one), next(); // the same file once more
    one.id = told.id;
    one.told = told;
    one.chip.replaceWith(one.chip = chipOf(one));
    changed();
    next();
  };
  const later = (one, seconds) => { // not all pages at once
    one.bar.removeAttribute("value");
    one.timer = setTimeout(begin, 1000 * seconds * (0.5 + Math.random() / 2), one);
  };
  const begin = (one) => {
    one.until ??= performance.now() + 1000 * PATIENCE;
    const request = one.request = new XMLHttpRequest(); // fetch tells nothing of how far it is
    request.open("POST", `files?name=${encodeURIComponent(one.file.name.slice(-MOST_NAME).toWellFormed?.() ?? "")}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => { one.bar.value = loaded / (total || 1); };
    request.onload = () => {
      const wait = [429, 503].includes(request.status) && Number(request.getResponseHeader("Retry-After"));
      if (request.status === 201) done(one, request.response);
      else if (wait && wait <= LONGEST && performance.now() < one.until) later(one, wait);
      else fail(one, request.response?.message ?? text("file_not_sent"));
    };
    request.onerror = () => fail(one, text("file_unreachable"));
    request.send(one.file);
  };
  const next = () => { // one at a time, as the server takes them
    const one = files.find(({ id }) => !id);
    if (one && !one.request) begin(one);
  };

  const chipOf = (one) => {
    const { name } = one.told ?? one.file;
    const remove = button(text("remove_file", { name }), "close", () => { say(""); drop(one); next(); document.querySelector("#message textarea")?.focus(); });
    const sign = one.picture ? make("img", { src: one.picture, alt: "" }) : icon("page");
    one.bar = make("progress", { ariaLabel: text("sending_file", { name }) });
    return make("li", {}, sign, make("span", { textContent: name, title: name }), ...(one.id ? [] : [one.bar]), remove);
  };
  const add = (chosen) => {
    say("");
    for (const file of chosen) {
      const one = { file, picture: file.type.startsWith("image/") ? URL.createObjectURL(file) : "" };
      one.chip = chipOf(one);
      files.push(one);
    }
    changed();
    next();
  };

  // Sent with the message from the box, or without words; Enter waits for those that are still on their way.
  const hold = (event) => {
    if (!isLoading() || document.querySelector(elements.stop)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    isHeld = true;
  };
  document.addEventListener("keydown", (event) => {
    const isEnter = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (isEnter && event.target.matches?.("#message textarea")) hold(event);
  }, true);
  document.addEventListener("click", (event) => { if (event.target.closest(elements.send)) hold(event); }, true);

  window.streamchat.attachments = {
    again: (told) => { // of a question that was taken back
      for (const file of told.filter(({ id }) => !files.some((it) => it.id === id))) {
        const one = { file, told: file, id: file.id, picture: file.kind === "picture" ? `files/${file.id}` : "" };
        one.chip = chipOf(one);
        files.push(one);
      }
      changed();
    },
    any: () => files.length > 0,
    header: () => files.map(({ id }) => id).filter(Boolean).join(","),
    sent: () => {
      say("");
      const gone = files.filter(({ id }) => id);
      files = files.filter(({ id }) => !id);
      gone.forEach(({ picture }) => URL.revokeObjectURL(picture));
      changed();
      return gone.map(({ told }) => told);
    },
  };

  document.addEventListener("paste", (event) => {
    const { files: pasted } = event.clipboardData ?? {};
    if (!pasted?.length || !event.target.closest?.("#message")) return;
    event.preventDefault();
    add(pasted);
  }, true);
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const mark = (on) => document.documentElement.toggleAttribute("data-dropping", on);
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) mark(true); });
  document.addEventListener("dragleave", ({ relatedTarget }) => { if (!relatedTarget) mark(false); });
  document.addEventListener("drop", (event) => {
    mark(false);
    if (hasFiles(event)) add(event.dataTransfer.files);
  });
})();
