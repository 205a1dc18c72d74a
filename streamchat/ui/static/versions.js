// Versions of a question or an answer: "2 / 3" beside its buttons, and arrows that go back and forth.
(() => {
  const { make, icon, text, toast, gradio: { elements } } = window.streamchat;
  const NONE = { path: [], choices: [] };
  const root = document.documentElement;
  const isBusy = () => root.hasAttribute("data-answering") || root.hasAttribute("data-switching");
  const current = () => window.streamchat.conversations.current();
  const path = (id) => `conversations/${encodeURIComponent(id)}/versions`;
  let told = NONE; // of the conversation that the page shows: its turns, and where there is a choice
  let whose = null;
  let isNew = false; // whether it is what the page shows now: nothing was asked since
  let asked = 0; // how often something was

  // What the page shows is the path to this turn: a question goes there, whatever other windows show.
  const leaf = () => (isNew && whose !== null ? told.path.findLast((number) => number !== null) ?? null : null);

  const rowOfQuestion = (question) => question.closest(elements.questionRow)?.querySelector(elements.answerButtons);
  const rowOfAnswer = (answer) => [...answer?.querySelectorAll(elements.answerButtons) ?? []].find((row) => row.offsetParent);
  const turns = () => {
    const [questions, answers] = [[], []];
    for (const one of document.querySelectorAll(`${elements.question}, ${elements.answer}`)) {
      if (one.matches(elements.question)) questions.push(one);
      else answers[questions.length - 1] ??= one;
    }
    return { questions, answers };
  };
  const wantedBoxes = () => {
    const { questions, answers: rows } = turns();
    return told.choices.flatMap(({ turn, shown, questions: numbers, answers }) => {
      const question = questions[turn];
      if (!question) return [];
      return [
        { name: `question ${turn}`, numbers, shown, row: rowOfQuestion(question) },
        { name: `answer ${turn}`, numbers: answers, shown, row: rowOfAnswer(rows[turn]) },
      ].filter(({ numbers, row }) => numbers.length > 1 && row);
    });
  };

  const arrow = (label, step) => {
    const it = make("button", { type: "button", className: "sc-button", title: label, ariaLabel: label, value: step }, icon("down"));
    it.onclick = () => go(it.closest(".versions").dataset.name, Number(it.dataset.version), step);
    return it;
  };
  const makeBox = () => {
    const count = make("span", { ariaHidden: "true" });
    const box = make("div", { className: "versions" }, arrow(text("previous_version"), -1), count, arrow(text("next_version"), 1));
    box.setAttribute("role", "group");
    return box;
  };
  const fill = (box, { name, numbers, shown }) => { // and touch nothing that is as it should be
    const at = numbers.indexOf(shown);
    const state = `${name} ${numbers} ${shown} ${isBusy()}`;
    if (box.dataset.state === state) return;
    Object.assign(box.dataset, { state, name });
    box.ariaLabel = text("version_of", { version: at + 1, versions: numbers.length });
    box.querySelector("span").textContent = `${at + 1} / ${numbers.length}`;
    for (const button of box.querySelectorAll("button")) {
      const version = numbers[at + Number(button.value)];
      button.disabled = isBusy() || version === undefined;
      button.dataset.version = version;
    }
  };
  const boxOf = (name) => document.querySelector(`.versions[data-name="${name}"]`);
  const place = () => {
    const old = new Set(document.querySelectorAll(".versions"));
    if (!old.size && !told.choices.length) return;
    for (const wanted of wantedBoxes()) {
      const box = wanted.row.querySelector(":scope > .versions") ?? makeBox();
      fill(box, wanted);
      wanted.row.dataset.versions = ""; // with :has() in its place, a growing answer would have all messages styled anew
      const thumbs = wanted.row.querySelector(":scope > .thumbs"); // they come when they come, and stand behind
      if (!box.isConnected && thumbs) thumbs.before(box);
      else if (!box.isConnected) wanted.row.append(box);
      old.delete(box);
    }
    for (const box of old) {
      delete box.parentElement.dataset.versions;
      box.remove();
    }
  };

  const tell = (id, found) => {
    whose = id;
    told = found;
    isNew = !isBusy();
    place();
  };
  const look = async () => {
    const [id, before] = [current(), asked];
    const answer = id && await fetch(path(id), { cache: "no-store" }).catch(() => null);
    const found = answer?.ok ? await answer.json() : NONE;
    if (id !== current()) return;
    tell(id, found);
    isNew &&= before === asked;
  };
  const forget = () => { asked++; isNew = false; };

  Object.assign(window.streamchat, { version: { leaf, look, forget, of: (turn) => told.path[turn] ?? turn } });

  // The arrows stay under the pointer and keep the focus.
  let holding = "";
  const hold = (name, top) => {
    if (!holding) return;
    place();
    const box = boxOf(name);
    const log = document.querySelector(elements.log);
    if (box && log) log.scrollTop += box.getBoundingClientRect().top - top;
    requestAnimationFrame(() => hold(name, top));
  };
  const show = async (name, step) => {
    root.toggleAttribute("data-holding", true);
    holding = name;
    hold(name, boxOf(name)?.getBoundingClientRect().top ?? 0);
    const id = whose;
    await window.streamchat.conversations.again();
    holding = "";
    isNew = id === whose && id === current();
    root.removeAttribute("data-holding");
    place();
    const arrows = [...boxOf(name)?.querySelectorAll("button") ?? []].filter((one) => !one.disabled);
    (arrows.find(({ value }) => value === String(step)) ?? arrows[0])?.focus({ preventScroll: true });
  };
  const go = async (name, version, step) => {
    const id = whose;
    if (isBusy() || id === null || id !== current()) return;
    const body = JSON.stringify({ version });
    const options = { method: "PUT", body, headers: { "Content-Type": "application/json" } };
    const answer = await fetch(path(id), options).catch(() => null);
    const found = await answer?.json().catch(() => null);
    if (id !== current()) return;
    if (!answer?.ok) {
      toast(found?.message ?? text("unreachable_try_again"));
      return look();
    }
    tell(id, found);
    await show(name, step);
  };

  let planned = 0;
  const due = () => { planned = 0; place(); };
  const plan = () => { planned ||= isBusy() ? setTimeout(due, 100) : requestAnimationFrame(due); }; // an answer has many frames
  new MutationObserver(plan).observe(root, { childList: true, subtree: true });
  let wasBusy = false;
  new MutationObserver(() => {
    place();
    if (root.hasAttribute("data-switching")) isNew = false; // another window asked, or shows another version
    if (wasBusy && !isBusy() && !holding) look();
    wasBusy = isBusy();
  }).observe(root, { attributeFilter: ["data-answering", "data-switching"] });
  document.addEventListener("streamchat:conversation", ({ detail: { id } }) => { if (id !== whose && !isBusy()) look(); });
})();
