// Gradio's private names, by which the page's other scripts find what they need, and repairs of Gradio's work for
// every frame. Each has a test in tests/test_gradio_page.py that fails without it.
(() => {
  const elements = {
    // there is one of the two: Gradio shows Stop in the place of Send for as long as an answer is written
    send: "#message .submit-button",
    stop: "#message .stop-button",
    // the row that holds the box, before which a bar finds its place
    boxRow: ".row",
    // Gradio has no event for the beginning of an edit
    editor: ".edit-textarea",
    // a question's row, and in it the buttons: Undo and Edit, or Submit and Cancel while it is edited
    questionRow: ".user-row",
    questionButton: ".message-buttons .icon-button",
    retry: ".bot-row .message-buttons .icon-button:nth-last-child(2):not(:first-child)",
    edit: ".user-row .message-buttons .icon-button:last-child:not(:first-child)",
    // Edit, whose title is translated; Gradio does not lock it while an answer is written
    locked: ".user-row .message-buttons .icon-button:not(:first-child)",
    // the element that scrolls, and the questions in it
    log: "[role=log]",
    question: "[data-testid=user]",
    questionText: ".user-row .prose pre",
    // the text of a message is in its label, and marks in the text tell what it is
    callout: '[data-testid="bot"][aria-label*=": \u2063\u2063"]',
    note: '[aria-label^="bot\'s message: \u2063"]',
    // what an empty chat shows
    welcome: ".placeholder-content .placeholder",
    // a long answer's pieces, and the button in a code block that copies it
    answer: ".bot.message",
    // of an answer's pieces those that are no notes and no thoughts
    words: "[aria-label]:not([aria-label^=\"bot's message: \u2063\"]):has(.prose):not(:has(.thought-group, .sc-search, .sc-sources))",
    // its buttons, of which only those of its last piece are shown
    answerButtons: ".message-buttons",
    piece: "[aria-label]",
    pieceOfText: "[aria-label]:has(.prose)",
    copyCode: ".copy_code_button",
    codeBlock: "pre, .code_wrap",
    codeOfAnswer: ".bot.message .code_wrap",
    // Gradio's renderer sets no direction for these
    sided: ".prose :is(ul, ol, blockquote, table):not([dir])",
    // KaTeX draws a formula with its source beside it
    formula: ".katex-display, .katex",
    outerFormula: ".katex-display, .katex:not(.katex-display .katex)",
    formulaBlock: ".katex-display",
    formulaSource: "annotation",
    // Gradio copies from it where there is no clipboard object
    clipboard: "body > textarea",
  };
  const addresses = {
    // a call that is answered at once, one that waits its turn, and the stream by which its answer comes
    call: "/run/",
    join: "/queue/join",
    answers: "/queue/data",
    // by its end Gradio forgets a page
    heartbeat: "/heartbeat/",
    // the name of the process that answers
    process: "gradio_api/app_id",
  };

  // The events of a page by number, of which Gradio's client sends nothing but the number.
  const events = window.gradio_config?.dependencies ?? [];
  const event = (id) => events.find((one) => one.id === id);
  const first = (id) => (event(event(id)?.trigger_after) ? first(event(id).trigger_after) : event(id));
  // ChatInterface's: the box hands its text to the first of a chain, and `_submit_fn` is the one that asks
  const isOfBox = (id) => Boolean(first(id)?.targets.some(([, name]) => name === "submit"));
  const asks = (id) => Boolean(event(id)?.api_name?.startsWith("_submit_fn"));
  // Gradio puts the title of a thought before an answer that it copies
  const copiedThought = /^Thinking\n[^\u2063]*\u2063\n\n?/;

  Object.assign(window.streamchat ??= {}, { gradio: { elements, addresses, events, event, first, isOfBox, asks, copiedThought } });

  // Gradio counts the seconds of all that is pending in every frame of the screen, and never stops counting those of the
  // loading sign that it shows first, so that no browser ever rests. They are not shown here: the frame that the count requests
  // once it has looked at the clock is cancelled.
  const now = performance.now.bind(performance);
  const mark = () => requestAnimationFrame(() => {}); // requests are numbered
  const endTheCount = (before) => { for (let id = mark(); id >= before; id--) cancelAnimationFrame(id); };
  performance.now = () => {
    const [, caller, its] = new Error().stack?.match(/\S+:\d+:\d+/g) ?? [];
    if (!its && caller?.includes("statustracker")) queueMicrotask(endTheCount.bind(null, mark()));
    return now();
  };

  // For each frame Gradio copies all messages, and has the browser clone every text in them as if it could change.
  const clone = window.structuredClone;
  window.structuredClone = (value, ...options) => (Object(value) === value ? clone(value, ...options) : value);

  // For each frame Gradio also sets every message's direction to what it is, for which the browser styles the whole page anew.
  const direction = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "dir");
  Object.defineProperty(HTMLElement.prototype, "dir", {
    ...direction,
    set(value) { if (this.getAttribute("dir") !== value) direction.set.call(this, value); },
  });
})();
