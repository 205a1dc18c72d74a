// The files of each question, above its words. The server knows them; those of the question on its way stand there at once.
(() => {
  const { make, icon, about, text, gradio: { elements } } = window.streamchat;
  if (!about.files) return;
  const storage = (use) => { try { return use(sessionStorage); } catch { return null; } };
  const conversation = () => window.streamchat.conversations?.current() ?? storage((s) => s.getItem("streamchat.tab"));

  let turns = {}; // files by the number of the question
  let count = 0; // of questions
  let fresh = null; // those of the question that was sent last, until the server tells

  const itemOf = ({ id, name, kind }) => {
    const address = `files/${id}`;
    const sign = kind === "picture" ? make("img", { src: address, alt: name, loading: "lazy" }) : icon("page");
    const link = make("a", { href: address, target: "_blank", rel: "noopener", title: name }, sign);
    if (kind !== "picture") link.append(make("span", { textContent: name }));
    return make("li", {}, link);
  };
  const draw = () => {
    const questions = [...document.querySelectorAll(elements.question)];
    count = questions.length;
    questions.forEach((question, turn) => {
      const files = (fresh && turn === questions.length - 1 ? fresh : turns[turn]) ?? [];
      const sign = files.map(({ id }) => id).join();
      const shown = question.querySelector(":scope > .sc-files");
      if ((shown?.dataset.sign ?? "") === sign) return;
      shown?.remove();
      if (!files.length) return;
      const list = make("ul", { className: "sc-files", ariaLabel: text("files_of_question") }, ...files.map(itemOf));
      list.dataset.sign = sign;
      question.prepend(list);
    });
  };
  const load = async () => {
    const id = conversation();
    const answer = id && await fetch(`conversations/${encodeURIComponent(id)}/files`, { cache: "no-store" }).catch(() => null);
    if (id !== conversation()) return;
    turns = answer?.ok ? (await answer.json()).turns : {};
    if (turns[count - 1]) fresh = null; // otherwise it was refused, and is not kept
    draw();
  };

  window.streamchat.takenBack = () => {
    window.streamchat.attachments.again(fresh ?? turns[count - 1] ?? []);
    delete turns[count - 1];
    fresh = null;
  };
  window.streamchat.refused = () => (fresh ?? []).map(({ id }) => id).join(","); // to ask it again with them
  window.streamchat.showSent = (files) => { fresh = files.length ? files : null; draw(); };
  let planned = 0;
  const plan = () => { planned ||= requestAnimationFrame(() => { planned = 0; draw(); }); };
  const begin = () => {
    new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
    let was = false;
    let shown = conversation();
    new MutationObserver(() => { // an answer has ended, or another conversation has come
      const busy = document.documentElement.hasAttribute("data-answering") || document.documentElement.hasAttribute("data-switching");
      if (conversation() !== shown) { shown = conversation(); turns = {}; fresh = null; }
      if (was && !busy) load();
      was = busy;
    }).observe(document.documentElement, { attributes: true });
    setTimeout(load, 0);
  };
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin, { once: true });
})();
