// The header of the page: three places that other scripts fill, and a menu at its end. Icons and themes.
(() => {
  const { text, gradio: { elements } } = window.streamchat;
  const ICONS = { // drawn with a line in a square of 24
    more: "M5 12h.01M12 12h.01M19 12h.01",
    panel: "M4 5h16v14H4zM9.5 5v14",
    pencil: "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
    sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19",
    moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
    screen: "M3 5h18v11H3zM8 20h8M12 16v4",
    search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l4 4",
    close: "M6 6l12 12M18 6 6 18",
    down: "M6 9l6 6 6-6",
    key: "M8 11.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8M11 12.5 20 3.5M16 7.5l3 3",
    info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 11v5M12 8h.01",
    eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
    thumb: "M4 11h3.5v9H4zM7.5 11.5 11 4c1.7 0 2.8 1.2 2.5 2.8L13 10h5.3c1.3 0 2.2 1.2 1.9 2.4l-1.4 6c-.2 1-1 1.6-2 1.6H7.5",
    trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
    share: "M12 15V4M8 7.5 12 4l4 3.5M6 12v8h12v-8",
    clip: "M19.5 11.5l-7.6 7.6a4.6 4.6 0 0 1-6.5-6.5l8-8a3.1 3.1 0 0 1 4.4 4.4l-8 8a1.5 1.5 0 0 1-2.2-2.2l7.2-7.1",
    page: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
    download: "M12 4v11M8 11.5l4 3.5 4-3.5M5 20h14",
  };
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const attributes = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": name === "more" ? 2.5 : 1.75,
      "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
    for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  };
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const button = (label, symbol, onclick, { named = false } = {}) => {
    const it = make("button", { type: "button", className: "sc-button", onclick }, icon(symbol));
    if (named) it.append(label);
    else Object.assign(it, { title: label, ariaLabel: label });
    return it;
  };

  const [start, middle, end] = ["start", "middle", "end"].map((place) => make("div", { id: `bar-${place}` }));
  const bar = make("header", { id: "bar" }, start, middle, end);
  const menu = make("div", { className: "sc-menu", id: "menu", popover: "auto" });
  const more = button(text("menu"), "more", () => menu.togglePopover());
  more.setAttribute("aria-expanded", "false");
  menu.addEventListener("toggle", ({ newState }) => more.setAttribute("aria-expanded", String(newState === "open")));
  end.append(more);

  // The theme: the system's, until the reader chooses. Gradio follows the system by itself.
  const THEMES = { system: "screen", light: "sun", dark: "moon" };
  const storage = (use) => { try { return use(localStorage); } catch { return null; } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => storage((s) => s.getItem("streamchat.theme")) ?? "system";
  const isDark = () => (chosen() === "system" ? system.matches : chosen() === "dark");
  const apply = () => {
    for (const one of themes.children) one.setAttribute("aria-pressed", String(one.value === chosen()));
    if (document.body.classList.contains("dark") !== isDark()) document.body.classList.toggle("dark", isDark());
  };
  const choose = (theme) => {
    storage((s) => (theme === "system" ? s.removeItem("streamchat.theme") : s.setItem("streamchat.theme", theme)));
    apply();
  };
  const themes = make("div", { className: "sc-themes", role: "group", ariaLabel: text("theme") });
  for (const [theme, symbol] of Object.entries(THEMES)) {
    themes.append(Object.assign(button(text(`theme_${theme}`), symbol, () => choose(theme)), { value: theme }));
  }
  menu.append(themes);

  // What the server says about the chat.
  const about = JSON.parse(document.querySelector('meta[name="streamchat"]')?.content ?? "{}");
  const addToMenu = (label, symbol, act) => {
    const it = button(label, symbol, () => { menu.hidePopover(); act(); }, { named: true });
    themes.after(it);
    return it;
  };
  const ask = (message) => { // unless an answer is being written, or something is in the box
    const box = document.querySelector("#message textarea");
    const send = document.querySelector(elements.send);
    box.focus();
    if (!send || box.value) return;
    box.value = message;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    requestAnimationFrame(() => send.click());
  };
  const dialog = (title, ...content) => {
    const it = make("dialog", { className: "sc-dialog", ariaLabel: title }, make("h2", { textContent: title }), ...content,
      make("form", { method: "dialog", className: "sc-actions" }, make("button", { className: "sc-button sc-main", textContent: text("close") })));
    it.addEventListener("close", () => it.remove());
    document.body.append(it);
    it.showModal();
    return it;
  };
  const tellAbout = () => dialog(about.title, make("p", { textContent: about.tagline }),
    make("p", { textContent: text(about.demo ? "about_demo" : "about_claude") }),
    ...(about.keeps ? [] : [make("p", { textContent: text("about_unkept") })]),
    make("p", {}, make("a", { href: "docs", target: "_blank", rel: "noopener", textContent: text("about_api") })));
  addToMenu(text("about"), "info", tellAbout); // the last one: others are put above it
  if (about.demo) addToMenu(text("see_states"), "eye", () => ask("help"));

  // Escape closes the menu and does no more.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.matches(":popover-open")) event.stopImmediatePropagation();
  }, true);

  const begin = () => {
    document.body.prepend(bar);
    document.body.append(menu);
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    system.addEventListener("change", () => setTimeout(apply));
    apply();
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  Object.assign(window.streamchat ??= {}, { icon, make, button, menu, about, addToMenu, dialog });
})();
