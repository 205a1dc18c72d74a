// Folds a long question, with a button that shows all of it.
(() => {
  const { make, gradio: { elements } } = window.streamchat;
  const LINES = 12; // from which on a question is folded

  const fold = (text) => {
    const height = parseFloat(getComputedStyle(text).lineHeight) * LINES;
    if (!(text.scrollHeight > height)) return;
    const button = make("button", { type: "button", className: "fold" });
    const show = (all) => {
      text.toggleAttribute("data-folded", !all);
      button.textContent = all ? "Show less" : "Show all";
      button.setAttribute("aria-expanded", String(all));
    };
    button.onclick = () => show(text.hasAttribute("data-folded"));
    text.after(button);
    show(false);
  };
  new MutationObserver((records) => {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
      const texts = node.querySelectorAll?.(elements.questionText) ?? [];
      [...texts, ...(node.matches?.(elements.questionText) ? [node] : [])]
        .filter((text) => !text.nextElementSibling?.matches(".fold")).forEach(fold);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
