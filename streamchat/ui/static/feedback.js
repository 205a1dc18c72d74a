// Thumbs up and down below an answer. The server takes them for answers of this page's own conversation.
(() => {
  const { make, icon, text, gradio: { elements } } = window.streamchat;
  const MOST = 1_000; // characters of words
  const KEPT = 200; // thumbs that the tab remembers over a reload
  const THUMBS = { up: text("thumb_up"), down: text("thumb_down") };
  const storage = (use) => { try { return use(sessionStorage); } catch { return null; } };
  const conversation = () => window.streamchat.conversations?.current() ?? storage((s) => s.getItem("streamchat.tab"));

  let given = new Map();
  try { given = new Map(JSON.parse(storage((s) => s.getItem("streamchat.thumbs")))); } catch { /* none */ }
  const remember = (name, thumb) => {
    given.delete(name);
    given.set(name, thumb);
    given = new Map([...given].slice(-KEPT));
    storage((s) => s.setItem("streamchat.thumbs", JSON.stringify([...given])));
  };

  // Of an answer: the number of its question on the page, and a name that changes with its text.
  const turns = () => {
    const found = new Map();
    let turn = -1;
    for (const one of document.querySelectorAll(`${elements.question}, ${elements.answer}`)) {
      if (one.matches(elements.question)) turn++;
      else found.set(one, turn);
    }
    return found;
  };
  const turnOf = (answer) => turns().get(answer);
  const nameOf = (answer, turn) => {
    const said = [...answer.querySelectorAll(elements.words)].map(({ ariaLabel }) => ariaLabel).join("");
    let hash = 0;
    for (let at = 0; at < said.length; at += 1 + Math.floor(said.length / 500)) hash = (hash * 31 + said.charCodeAt(at)) | 0;
    return `${conversation()} ${window.streamchat.version.of(turn)} ${hash}`;
  };

  const send = async (answer, thumb, words = "") => {
    const body = JSON.stringify({ conversation: conversation() ?? "", turn: turnOf(answer), thumb: thumb || "none", words });
    const options = { method: "PUT", body, headers: { "Content-Type": "application/json" } };
    const response = await fetch("feedback", options).catch(() => null);
    if (response?.ok) return "";
    return (await response?.json().catch(() => null))?.message ?? text("unreachable_try_again");
  };

  const show = (box) => {
    const thumb = given.get(box.dataset.name);
    for (const button of box.querySelectorAll("button[value]")) button.setAttribute("aria-pressed", String(button.value === thumb));
  };
  const say = (box, sentence) => { box.querySelector("[role=status]").textContent = sentence; };

  const give = async (box, answer, thumb) => {
    const before = given.get(box.dataset.name) ?? "";
    const now = before === thumb ? "" : thumb;
    remember(box.dataset.name, now);
    show(box);
    answer.querySelector(".words")?.remove();
    const refusal = await send(answer, now);
    if (refusal) { remember(box.dataset.name, before); show(box); }
    say(box, refusal || (now ? text("thanks") : ""));
    if (!refusal && now && takesWords) askWhy(box, answer, now);
  };

  const askWhy = (box, answer, thumb) => {
    const field = make("textarea", { maxLength: MOST, rows: 3, ariaLabel: text("why") });
    const note = make("p", { textContent: text("why_note") });
    const form = make("form", { className: "words" }, note, field, make("button", { className: "sc-button", textContent: text("send") }));
    form.onsubmit = async (event) => {
      event.preventDefault();
      const refusal = field.value.trim() ? await send(answer, thumb, field.value) : "";
      if (!refusal) form.remove();
      say(box, refusal || text("thanks"));
    };
    say(box, "");
    answer.append(form);
    field.focus();
  };

  const thumbs = (answer, name) => {
    const button = (value) => {
      const it = make("button", { type: "button", className: "sc-button", value, title: THUMBS[value], ariaLabel: THUMBS[value] }, icon("thumb"));
      it.onclick = () => give(box, answer, value);
      return it;
    };
    const box = make("div", { className: "thumbs" }, ...Object.keys(THUMBS).map(button), make("span", { role: "status" }));
    box.dataset.name = name;
    show(box);
    return box;
  };

  // Answers get theirs once they are whole: none while one is written, and none where there is only a note.
  let takesWords = false;
  const update = () => {
    const isWriting = Boolean(document.querySelector(elements.stop));
    const answers = [...document.querySelectorAll(elements.answer)];
    // all of them before anything changes: the browser would lay the whole chat out anew for each
    const rows = answers.map((answer) => [...answer.querySelectorAll(elements.answerButtons)].find((one) => one.offsetParent));
    const turn = turns();
    for (const [place, answer] of answers.entries()) {
      const box = answer.querySelector(".thumbs");
      const row = rows[place];
      const isWhole = row && answer.querySelector(elements.words) && !(isWriting && answer === answers.at(-1));
      const name = isWhole && nameOf(answer, turn.get(answer));
      if (isWhole && box?.parentElement === row && box.dataset.name === name) continue;
      box?.remove();
      answer.querySelector(".words")?.remove();
      if (isWhole) row.append(thumbs(answer, name));
    }
  };
  let planned = 0;
  const plan = () => { planned ||= setTimeout(() => { planned = 0; update(); }, 200); };
  const begin = async () => {
    const answer = await fetch("feedback", { cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return; // off
    takesWords = (await answer.json()).words;
    new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
    plan();
  };
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin, { once: true });
})();
