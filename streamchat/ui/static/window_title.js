// The window has the name of the conversation that it shows, before that of the chat.
(() => {
  const { about } = window.streamchat;
  document.addEventListener("streamchat:conversation", ({ detail }) => {
    document.title = detail.title ? `${detail.title} · ${about.title}` : about.title;
  });
})();
