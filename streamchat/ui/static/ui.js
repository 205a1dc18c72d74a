// Keeps the tab's own memory, and notices a connection that died without a word.
(() => {
  const { text, gradio: { elements, addresses, events, copiedThought } } = window.streamchat;
  const SILENCE = 15_000; // ms without a byte on an open stream; the server sends one every few seconds
  const storage = (use) => { try { return use(sessionStorage); } catch { return null; } }; // blocked in some frames

  // The page's first request finds its tab again: it takes along the tab's id and the message that was not sent.
  const claim = events.find(({ api_name }) => api_name === "claim")?.id;
  const withTab = (options) => {
    const body = JSON.parse(options.body);
    if (body.fn_index !== claim) return null;
    const [tab, draft, sent] = ["tab", "draft", "sent"].map((name) => storage((s) => s.getItem(`streamchat.${name}`)) ?? "");
    const id = window.streamchat.wanted() ?? tab;
    const isOfAnother = sent && sent !== "yes" && sent !== id; // which alone knows that it has received the draft
    const kept = [id, isOfAnother ? "" : draft];
    return { ...options, body: JSON.stringify({ ...body, data: kept }) };
  };

  // A duplicated tab begins with the memory of the first one. Each page locks its tab for as long as it is open, which tells a
  // duplicate from a page that was loaded again. Over plain http there are no locks.
  const lock = (tab, options, then) => navigator.locks?.request(`streamchat.${tab}`, options, then).catch(({ name }) => name);
  const mine = new Set(); // the tabs that this page has locked
  const isOpenElsewhere = async () => {
    const tab = storage((s) => s.getItem("streamchat.tab"));
    return tab && !mine.has(tab) && await lock(tab, { signal: AbortSignal.timeout(500) }, () => "") === "TimeoutError";
  };
  const claimed = async (options) => {
    const headers = new Headers(options.headers);
    headers.set("Idempotency-Key", window.streamchat.keyOfDraft());
    if (await isOpenElsewhere()) headers.set("X-Tab-Open", "elsewhere");
    return { ...options, headers };
  };
  const keepTab = async (response) => {
    const { data } = await response.json();
    storage((s) => s.setItem("streamchat.tab", data[0]));
    storage((s) => s.getItem("streamchat.sent") === "yes" && s.setItem("streamchat.sent", data[0]));
    window.streamchat.isShown(data[0]);
    lock(data[0], {}, () => { mine.add(data[0]); return new Promise(() => {}); }); // until the page is gone
    if (typeof data[1]?.value === "string") window.streamchat.isBack(); // the draft, in the box
  };

  const heard = new Map();
  const fetched = window.fetch;
  let isClaimed = claim === undefined;
  window.streamchat.claimAgain = () => { isClaimed = false; };
  window.fetch = async (resource, options) => {
    const url = String(resource?.url ?? resource);
    const claiming = !isClaimed && url.includes(addresses.call) && withTab(options);
    if (claiming) isClaimed = true;
    const answers = window.streamchat.answers;
    const signal = url.includes(addresses.answers) && (resource.signal ?? options?.signal ?? new AbortController().signal);
    if (signal) answers.begin(signal);
    const response = await fetched(resource, claiming ? await claimed(claiming) : options).catch((error) => {
      if (signal) answers.end(signal);
      throw error;
    });
    if (claiming && response.ok) await keepTab(response.clone());
    if (!signal) return response;
    const id = Symbol();
    const reader = response.body.getReader();
    heard.set(id, Date.now());
    const pull = async (page) => {
      try {
        const { done, value } = await reader.read();
        heard.set(id, Date.now());
        if (!done) { answers.read(value); return page.enqueue(value); }
        page.close();
      } catch (error) {
        page.error(error);
      }
      heard.delete(id);
      answers.end(signal);
    };
    const cancel = (reason) => { heard.delete(id); answers.end(signal); return reader.cancel(reason); };
    return new Response(new ReadableStream({ pull, cancel }), response);
  };

  const reloadIfDead = async () => {
    if (![...heard.values()].some((at) => Date.now() - at > SILENCE)) return;
    const alive = await fetched(location.href, { signal: AbortSignal.timeout(5_000), cache: "no-store" }).catch(() => null);
    if (alive) location.reload();
  };
  setInterval(reloadIfDead, 3_000);

  // A page that rested while its server was started again is unknown to the new one. And Gradio forgets what a page has said
  // an hour after its heartbeat broke off; so that the page is loaded anew then, but seldom: some proxies cut off all the time.
  const SELDOM = 600_000; // ms
  let server = null; // Gradio's name for the process that answers
  let lost = false;
  const isRare = () => Date.now() - storage((s) => s.getItem("streamchat.reloaded")) > SELDOM;
  const reloadIfAnew = async () => {
    const answer = await fetched(addresses.process, { cache: "no-store" }).then((r) => (r.ok ? r.text() : null)).catch(() => null);
    const kept = storage((s) => s.getItem("streamchat.tab"));
    if (answer && ((server && answer !== server) || (lost && kept && isRare()))) {
      storage((s) => s.setItem("streamchat.reloaded", Date.now()));
      location.reload();
    }
    server = answer ?? server;
  };
  new PerformanceObserver((list) => { // of what has been fetched to its end, whatever that was
    if (lost || !list.getEntries().some(({ name }) => name.includes(addresses.heartbeat))) return;
    lost = true;
    if (isRare()) setInterval(reloadIfAnew, 1_000);
  }).observe({ type: "resource", buffered: true });
  reloadIfAnew();
  setInterval(reloadIfAnew, 15_000);
  addEventListener("focus", reloadIfAnew); // before anything is asked of it
  document.addEventListener("visibilitychange", reloadIfAnew);

  // content.py puts one after thoughts and before notes, which are not copied with an answer, and the other into tags;
  // the other additions of markdown.py are taken out as its `written` does.
  const MARKS = /[\u2062-\u2064]/g;
  const ADDED = /^\|\u2064\u2064.*\n.*\n|^.*\u2064\u2064\n|\u2064\n\u2064|\ufeff(?=\u2064)/gm;
  const written = (message) => window.streamchat.withLinks(message.replace(ADDED, "")).replace(MARKS, "");
  Object.assign(window.streamchat, { written });
  const answer = (message) => message.replace(copiedThought, "").replace(/\n?\u2063[^]*$/, "") || message;
  const write = navigator.clipboard?.writeText.bind(navigator.clipboard);
  let code = ""; // of a block that goes on in other pieces
  if (write) navigator.clipboard.writeText = (copied) => write(written(code || answer(copied)));

  const goesOn = (message) => /: *(?:> *)*[`~]{3}[^\n]*\u2064\u2064\n/.test(message?.ariaLabel ?? "");
  document.addEventListener("click", ({ target }) => { // the button of a piece copies the whole block
    const message = target.closest(elements.copyCode)?.closest(`${elements.answer} ${elements.piece}`);
    code = "";
    if (!message) return;
    const pieces = [...message.closest(elements.answer).querySelectorAll(elements.pieceOfText)];
    const blocks = [...message.querySelectorAll("pre")];
    const at = blocks.indexOf(target.closest(elements.codeBlock).querySelector("pre") ?? target.closest("pre"));
    let from = pieces.indexOf(message);
    let to = from;
    if (at === 0) while (from > 0 && goesOn(pieces[from])) from--;
    if (at === blocks.length - 1) while (goesOn(pieces[to + 1])) to++;
    if (from === to) return;
    const codeOf = (piece, index) => {
      const all = [...piece.querySelectorAll("pre")];
      return (index === 0 && from < pieces.indexOf(message) ? all.at(-1) : all[index === to - from && to > pieces.indexOf(message) ? 0 : at]).textContent;
    };
    code = pieces.slice(from, to + 1).map(codeOf).join("");
  }, true);

  // Lists, quotations and tables stand on the side where their text begins; a code block has the name of its language.
  const side = (element) => { element.dir = "auto"; };
  const label = (block) => {
    block.dataset.language = block.querySelector("code")?.className.match(/language-([\w+#.-]+)/)?.[1] ?? "";
    const button = block.querySelector(elements.copyCode);
    if (button) button.dataset.label = text("copy");
  };
  const all = (node, selector) => [...(node.matches?.(selector) ? [node] : []), ...(node.querySelectorAll?.(selector) ?? [])];
  new MutationObserver((records) => {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
      all(node, elements.sided).forEach(side);
      all(node, elements.codeOfAnswer).forEach(label);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  // A formula is copied as it was written.
  const selected = () => {
    const selection = getSelection();
    if (!selection.rangeCount) return "";
    const range = selection.getRangeAt(0).cloneRange();
    const formula = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(elements.formula);
    const [first, last] = [formula(range.startContainer), formula(range.endContainer)];
    if (first) range.setStartBefore(first);
    if (last) range.setEndAfter(last);
    const copy = range.cloneContents();
    if (!copy.querySelector(elements.formula)) return selection.toString();
    for (const one of copy.querySelectorAll(elements.outerFormula)) {
      const source = one.querySelector(elements.formulaSource)?.textContent ?? "";
      one.replaceWith(one.matches(elements.formulaBlock) ? `$$${source}$$` : `\\(${source}\\)`);
    }
    const place = Object.assign(document.createElement("div"), { className: "copied" });
    place.append(copy);
    document.body.append(place);
    const copied = place.innerText;
    place.remove();
    return copied;
  };
  document.addEventListener("copy", (event) => { // where there is no clipboard object, over plain http
    const whole = event.target.matches?.(elements.clipboard);
    if (event.target.matches?.("textarea, input") && !whole) return;
    const copied = whole ? code || answer(event.target.value) : selected();
    if (copied === getSelection().toString() && !/[\u2063\u2064]/.test(copied)) return;
    event.clipboardData.setData("text/plain", written(copied));
    event.preventDefault();
  });
})();
