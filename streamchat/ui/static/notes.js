// Tells other scripts of each note of the chat that Gradio has drawn, also of one that it has drawn anew.
(() => {
  const { elements } = window.streamchat.gradio;
  const tellers = [];
  const notes = (node) => [
    node.closest?.(elements.note) ?? node.parentElement?.closest(elements.note),
    ...(node.querySelectorAll?.(elements.note) ?? []),
  ];
  new MutationObserver((records) => {
    const added = records.flatMap(({ addedNodes }) => [...addedNodes]);
    const found = new Set(added.flatMap(notes).filter(Boolean));
    for (const note of found) tellers.forEach((tell) => tell(note));
  }).observe(document.documentElement, { childList: true, subtree: true });
  window.streamchat.onNote = (tell) => tellers.push(tell);
})();
