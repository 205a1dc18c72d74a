// "Use your own key", in a callout, opens the panel in which the key goes. In an answer the same link does nothing.
(() => {
  const { elements } = window.streamchat.gradio;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href$="#own-key"]');
    if (!link) return;
    event.preventDefault();
    if (link.closest(`${elements.callout}, ${elements.welcome}`)) window.streamchat.enterKey();
  }, true);
})();
