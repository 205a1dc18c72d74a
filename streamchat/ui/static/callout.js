// "Use your own key", in a callout, opens the panel in which the key goes. In an answer the same link does nothing.
(() => {
  const { elements } = window.streamchat.gradio;
  const field = () => document.querySelector("#own-key input");
  const isOpen = () => Boolean(field()?.checkVisibility());

  const opened = async () => {
    const panel = document.querySelector(elements.settings);
    if (!isOpen()) panel?.click();
    for (let wait = 0; wait < 40 && !isOpen(); wait++) await new Promise((done) => setTimeout(done, 50));
    field()?.scrollIntoView({ block: "nearest" });
    field()?.focus();
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href$="#own-key"]');
    if (!link) return;
    event.preventDefault();
    if (link.closest(elements.callout)) opened();
  }, true);
})();
