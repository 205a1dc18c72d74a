// Folds a long question, with a button that shows all of it.
(() => {
  const { make, text, gradio: { elements } } = window.streamchat;
  const LINES = 12; // from which on a question is folded

  const fold = (question) => {
    const height = parseFloat(getComputedStyle(question).lineHeight) * LINES;
    if (!(question.scrollHeight > height)) return;
    const button = make("button", { type: "button", className: "fold" });
    const show = (all) => {
      question.toggleAttribute("data-folded", !all);
      button.textContent = text(all ? "show_less" : "show_all");
      button.setAttribute("aria-expanded", String(all));
    };
    button.onclick = () => show(question.hasAttribute("data-folded"));
    question.after(button);
    show(false);
  };
  new MutationObserver((records) => {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
      const texts = node.querySelectorAll?.(elements.questionText) ?? [];
      [...texts, ...(node.matches?.(elements.questionText) ? [node] : [])]
        .filter((question) => !question.nextElementSibling?.matches(".fold")).forEach(fold);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
