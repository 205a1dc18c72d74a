// A row of the sidebar for each conversation, and the group of days in which it stands.
(() => {
  const { make, icon, text } = window.streamchat;
  const rows = new Map(); // by the conversation's id

  const midnight = (daysAgo) => {
    const day = new Date();
    day.setHours(0, 0, 0, 0);
    return day.setDate(day.getDate() - daysAgo);
  };
  const dayOf = (at) => { // in the reader's time zone
    const time = at * 1000;
    if (time >= midnight(0)) return text("today");
    if (time >= midnight(1)) return text("yesterday");
    if (time >= midnight(7)) return text("last_week");
    const date = new Date(time);
    const isThisYear = date.getFullYear() === new Date().getFullYear();
    return date.toLocaleDateString(text("locale"), { month: "long", year: isThisYear ? undefined : "numeric" });
  };

  // Titles and snippets are text of others: they become text nodes only.
  const marked = (snippet) => snippet.split(/(\u0001[^\u0002]*\u0002)/).map((part) =>
    (part.startsWith("\u0001") ? make("mark", { textContent: part.slice(1, -1) }) : part));
  const mark = (className, label, ...children) => {
    const it = make("span", { className, title: label, ariaLabel: label }, ...children);
    it.setAttribute("role", "img");
    return it;
  };
  const makeRow = (id) => {
    const link = make("a", { className: "chat", href: `?c=${encodeURIComponent(id)}`, tabIndex: -1 },
      make("span", { className: "chat-title", dir: "auto" }), make("span", { className: "chat-marks" }), make("span", { className: "chat-snippet", dir: "auto" }));
    const options = make("button", { type: "button", className: "sc-button chat-options", tabIndex: -1, ariaHasPopup: "menu" }, icon("more"));
    const row = make("li", {}, link, options);
    row.dataset.id = id;
    return row;
  };
  const fill = (row, { id, title, running, shared, snippet }) => {
    const link = row.querySelector(".chat");
    const [name, marks, found] = link.children;
    const shown = id === window.streamchat.conversations.current();
    name.textContent = title;
    link.title = title;
    marks.replaceChildren(...(shared ? [mark("chat-shared", text("shared"), icon("share"))] : []),
      ...(running ? [mark("chat-running", text("is_answering"))] : []));
    found.replaceChildren(...(snippet ? marked(snippet) : []));
    row.querySelector(".chat-options").ariaLabel = text("options_of", { title });
    row.toggleAttribute("data-shown", shown);
    if (shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  };
  const rowOf = (chat) => {
    if (!rows.has(chat.id)) rows.set(chat.id, makeRow(chat.id));
    const row = rows.get(chat.id);
    fill(row, chat);
    return row;
  };

  Object.assign(window.streamchat, { rows: { dayOf, rowOf, rowBy: (id) => rows.get(id) } });
})();
