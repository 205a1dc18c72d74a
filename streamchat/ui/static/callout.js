// The one action that helps, in a note of the chat: a link of a closed set, behind a mark that no words of others have,
// becomes a button. In an answer, and in the words of a note, the same link does nothing.
(() => {
  const { make, about, text, onNote, gradio: { elements } } = window.streamchat;
  const LINK = /\u2063[^\u2063]+\u2063\n\n\[[^\]]*\]\(#(\w+?)(?:-(\d+))?\)$/;
  const PATIENCE = 3_000; // ms until Gradio shows the button that is pressed

  const press = (find, until = performance.now() + PATIENCE) => {
    const button = find();
    if (button && !button.disabled) button.click();
    else if (performance.now() < until) setTimeout(press, 50, find, until);
  };
  const enterKey = () => window.streamchat.enterKey();
  const ACTIONS = {
    retry: () => press(() => [...document.querySelectorAll(elements.retry)].at(-1)),
    go_on: () => press(() => document.getElementById("continue")),
    new_chat: () => window.streamchat.conversations.fresh(),
    own_key: about.takesKeys ? enterKey : null,
    other_key: about.takesKeys ? enterKey : null,
  };

  // A time to wait counts down in the button. It goes on when Gradio draws the note again, until something else is asked.
  const root = document.documentElement;
  const ends = new Map(); // by the note's text
  new MutationObserver(() => { if (root.hasAttribute("data-answering")) ends.clear(); }).observe(root, { attributeFilter: ["data-answering"] });
  const endOf = (note, seconds) => {
    if (!ends.has(note)) ends.set(note, performance.now() + 1_000 * seconds);
    return ends.get(note);
  };
  const wait = (button, words, end) => {
    const left = Math.ceil((end - performance.now()) / 1_000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? text("in_seconds", { words, seconds: left }) : words;
    if (left > 0 && button.isConnected) setTimeout(wait, 1_000, button, words, end);
  };
  const act = (note) => {
    const [, code, seconds] = LINK.exec(note.ariaLabel) ?? [];
    const link = [...note.querySelectorAll("a")].at(-1);
    if (!code || !link) return;
    const place = link.parentElement;
    if (!ACTIONS[code]) return place.remove();
    const words = link.textContent;
    const button = make("button", { type: "button", className: "sc-button sc-act", value: code, textContent: words, onclick: ACTIONS[code] });
    place.className = "sc-way";
    place.replaceChildren(button);
    if (seconds) wait(button, words, endOf(note.ariaLabel, seconds));
  };
  onNote(act);

  // The welcome has a link, too. Any other would load the page anew, for its address is relative to the root.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href=""], a[href^="#"], a[href$="#own_key"]');
    if (!link) return;
    event.preventDefault();
    if (link.closest(elements.welcome) && link.hash === "#own_key") enterKey();
  }, true);
})();
