// What a reader has selected in an answer stays selected while the answer grows, though Gradio draws its words anew.
(() => {
  const { elements } = window.streamchat.gradio;
  let kept = null; // the message in which something is selected, and where: characters from its beginning

  const messageOf = (node) => (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.(`${elements.answer} ${elements.piece}`);
  const offset = (message, node, at) => {
    const before = document.createRange();
    before.setStart(message, 0);
    before.setEnd(node, at);
    return before.toString().length;
  };
  const place = (message, characters) => {
    const texts = document.createTreeWalker(message, NodeFilter.SHOW_TEXT);
    let left = characters;
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      if (left <= node.length) return [node, left];
      left -= node.length;
    }
    return null;
  };
  document.addEventListener("selectionchange", () => {
    const { isCollapsed, anchorNode, anchorOffset, focusNode, focusOffset } = getSelection();
    const message = isCollapsed ? null : messageOf(anchorNode);
    kept = message && message === messageOf(focusNode)
      ? { message, ends: [offset(message, anchorNode, anchorOffset), offset(message, focusNode, focusOffset)] } : null;
  });
  new MutationObserver(() => {
    if (!kept?.message.isConnected) return;
    const selection = getSelection();
    // with the words that were selected the browser removes the selection, or leaves it at an element
    if (!selection.isCollapsed || selection.anchorNode?.nodeType === Node.TEXT_NODE) return;
    const ends = kept.ends.map((end) => place(kept.message, end));
    if (ends.every(Boolean)) selection.setBaseAndExtent(...ends.flat());
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
