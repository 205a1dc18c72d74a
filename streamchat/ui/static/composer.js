// The message box: open while an answer is written, with names for its buttons, Escape to stop, and the focus kept.
(() => {
  const { text, number, gradio: { elements } } = window.streamchat;
  const box = () => document.querySelector("#message textarea");
  const send = () => document.querySelector(elements.send);
  const stop = () => document.querySelector(elements.stop);
  const withKeys = matchMedia("(min-width: 600px) and (hover: hover)");
  let waiting = false; // whether the message in the box is to be sent when the answer has ended
  let busy = false;
  let switching = false; // whether the page goes from one conversation to another
  const isSwitching = () => document.documentElement.hasAttribute("data-switching");
  let focused = false; // whether the box had the focus, as far as the reader is concerned

  const name = (button, label) => {
    if (!button || button.title === label) return;
    button.title = label;
    button.setAttribute("aria-label", label);
  };
  const open = () => { // Gradio locks the box while it answers, and takes away its placeholder for good
    const it = box();
    if (it?.disabled) it.disabled = false;
    const next = withKeys.matches ? "placeholder_next_esc" : "placeholder_next";
    const hint = text(busy ? next : "placeholder");
    if (it && it.placeholder !== hint) it.placeholder = hint;
  };
  const refocus = () => {
    const lost = !document.activeElement || document.activeElement === document.body;
    if (focused && lost) box()?.focus({ preventScroll: true });
  };

  // Gradio empties the box when its server has the message: what was typed meanwhile stays in it.
  const MOMENT = 10_000; // ms, after which a message that was not taken can be sent again
  let sent = null; // the message that is on its way, since when, and what was typed after it; its files, if it has no words
  const isOnItsWay = () => sent && performance.now() - sent.at < MOMENT;
  const hasFiles = () => Boolean(window.streamchat.attachments?.any());
  const isMessage = () => Boolean(box()?.value.trim()) || (hasFiles() && !(isOnItsWay() && sent.isFiles));
  const leave = () => {
    const { value } = box();
    sent = { text: value, at: performance.now(), later: "", isFiles: !value.trim() };
  };
  const type = () => {
    const { value } = box();
    sent.later = value.startsWith(sent.text) ? value.slice(sent.text.length) : value;
  };
  const arrived = () => {
    if (!sent || box()?.value || (sent.isFiles && hasFiles())) return;
    const { later } = sent;
    sent = null;
    if (!later) return;
    box().value = later;
    box().dispatchEvent(new Event("input", { bubbles: true }));
  };
  document.addEventListener("input", ({ target }) => { if (sent && target === box() && target.value) type(); }, true);

  const ended = () => {
    if (!waiting) return;
    waiting = false;
    if (isMessage()) send()?.click();
  };

  // A long text goes into the box at once: as if it were typed it would take the browser a minute. One that is too long stays out.
  const LONG = 5_000; // characters
  const MOST = 300_000;
  const complaint = Object.assign(document.createElement("div"), { id: "too-long", role: "alert" });
  const complain = (sentence) => {
    complaint.textContent = sentence;
    if (sentence) document.getElementById("allowance").before(complaint);
    else complaint.remove();
  };
  document.addEventListener("beforeinput", (event) => {
    const { target, data, inputType } = event;
    const typed = data ?? event.dataTransfer?.getData("text/plain") ?? "";
    if (!target.matches(`#message textarea, ${elements.editor}`)) return;
    complain("");
    const length = target.value.length - (target.selectionEnd - target.selectionStart) + typed.length;
    if (!inputType.startsWith("insert") || (length <= MOST && typed.length <= LONG)) return;
    event.preventDefault();
    if (length > MOST) return complain(text("message_too_long", { most: number(MOST), length: number(length) }));
    target.setRangeText(typed, target.selectionStart, target.selectionEnd, "end");
    target.dispatchEvent(new InputEvent("input", { inputType, bubbles: true }));
  }, true);

  const focusEditor = () => {
    const editor = document.querySelector(elements.editor);
    if (!editor || editor.hasAttribute("aria-label")) return;
    editor.setAttribute("aria-label", text("edit_question"));
    editor.value = window.streamchat.written(editor.value); // as it was typed
    editor.dispatchEvent(new Event("input", { bubbles: true }));
    editor.focus();
  };

  const changed = () => {
    focusEditor();
    name(send(), text("send"));
    name(stop(), text("stop"));
    const was = busy || switching;
    busy = Boolean(stop());
    if (!switching && isSwitching()) waiting = false; // it was for the conversation that the reader leaves
    switching = isSwitching();
    open();
    arrived();
    refocus();
    document.documentElement.toggleAttribute("data-answering", busy);
    if (was && !busy && !switching && send()) ended();
  };
  let due = 0;
  new MutationObserver(() => { due ||= requestAnimationFrame(() => { due = 0; changed(); }); })
    .observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["disabled", "data-switching"] });

  document.addEventListener("focusin", ({ target }) => { focused = target === box() || target === stop() || target === send(); });
  document.addEventListener("pointerdown", ({ target }) => { // elsewhere: the reader moved it
    if (!target.closest("#message")) focused = false;
  }, true);

  // Edit, also by the keyboard: it would end the answer that is being written
  document.addEventListener("click", (event) => {
    if (!stop() || !event.target.closest(elements.locked)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  const edit = (event) => { // Enter sends the edited question, Escape leaves it as it was
    const button = { Enter: 0, Escape: 1 }[event.key];
    if (button === undefined || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    event.target.closest(elements.questionRow).querySelectorAll(elements.questionButton)[button]?.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.target.matches?.(elements.editor)) return edit(event);
    if (event.key === "ArrowUp" && event.target === box() && !box().value && !stop()) {
      const editors = document.querySelectorAll(elements.edit);
      [...editors].at(-1)?.click();
    }
    if (event.key === "Escape" && stop() && !event.defaultPrevented) {
      event.preventDefault();
      stop().click();
    }
    const isEnter = event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === box();
    if (!isEnter) return;
    if (!stop() && !isOnItsWay() && !isSwitching() && isMessage()) return leave();
    event.preventDefault(); // an answer is being written, or about to be, or another conversation comes: this message is next
    event.stopImmediatePropagation();
    waiting = isMessage();
  }, true);

  document.addEventListener("click", (event) => {
    if (!event.target.closest(elements.send)) return;
    if (!isSwitching() && isMessage()) return leave();
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = isMessage();
  }, true);

  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => { // or the browser opens the file in the chat's place
      if ([...(event.dataTransfer?.types ?? [])].includes("Files")) event.preventDefault();
    });
  }
})();
