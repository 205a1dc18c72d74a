// New words of an answer appear smoothly: for a moment a veil in the colour of the page lies over them, and slides off in the
// direction of reading. The words are there from the start, so that nothing moves, and they can be selected and copied.
(() => {
  const { make, gradio: { elements } } = window.streamchat;
  const MOST = 600; // characters that come at once; more were not just written
  const LONGEST = 150; // ms
  const STEP = 40; // ms
  const PART = 0.7; // of the time between two changes, so that the browser rests in between
  const EDGE = 32; // px that the veil is longer, where it fades
  const LEFTWARD = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
  const APART = "pre, table"; // which have colours of their own
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const veils = make("div", { className: "sc-veils", ariaHidden: "true" });
  let sliding = 0;
  let piece = null; // the last of the answer that is being written
  let length = 0; // characters of it that were seen
  let at = 0; // when its last words came

  const rangeOfLast = (element, count) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = texts.lastChild(); node; node = texts.previousNode()) {
      range.setStart(node, Math.max(0, node.length - count));
      count -= node.length;
      if (count <= 0) break;
    }
    return range;
  };
  const lines = (range) => {
    const found = [];
    for (const { left, right, top, bottom } of range.getClientRects()) {
      const line = found.at(-1);
      if (right <= left) continue;
      if (!line || top >= line.bottom - 2 || bottom <= line.top + 2) found.push({ left, right, top, bottom });
      else {
        Object.assign(line, { left: Math.min(left, line.left), right: Math.max(right, line.right),
          top: Math.min(top, line.top), bottom: Math.max(bottom, line.bottom) });
      }
    }
    return found;
  };
  const cover = (range, duration) => {
    const origin = veils.getBoundingClientRect();
    const found = lines(range);
    const leftward = LEFTWARD.test(range.toString());
    const made = found.map(({ left, right, top, bottom }) => {
      const veil = make("div", { className: "sc-veil" }, make("div"));
      veil.toggleAttribute("data-leftward", leftward);
      const style = { left: left - origin.left, top: top - origin.top, width: right - left, height: bottom - top };
      for (const [name, value] of Object.entries(style)) veil.style[name] = `${value}px`;
      return [veil, right - left];
    });
    veils.replaceChildren(...made.map(([veil]) => veil));
    slide(made, made.reduce((sum, [, width]) => sum + width, 0), leftward ? -1 : 1, Math.max(1, Math.round(duration / STEP)));
  };
  // An animation would have the page painted with each frame of the screen; a few steps do.
  const slide = (made, whole, direction, steps, taken = 0) => {
    clearTimeout(sliding);
    if (taken === steps) return veils.replaceChildren();
    let front = whole * taken / steps;
    for (const [veil, width] of made) {
      veil.firstChild.style.transform = `translateX(${direction * Math.min(Math.max(front, 0), width + EDGE)}px)`;
      front -= width;
    }
    sliding = setTimeout(slide, STEP, made, whole, direction, steps, taken + 1);
  };

  const grown = () => {
    const answer = [...document.querySelectorAll(elements.answer)].at(-1);
    const now = answer && [...answer.querySelectorAll(elements.words)].at(-1);
    if (!now) return;
    const size = now.textContent.length;
    const more = size - (now === piece ? length : 0);
    [piece, length] = [now, size];
    if (more <= 0) return;
    const since = performance.now() - at;
    at += since;
    const log = now.closest(elements.log);
    if (veils.parentElement !== log) log.append(veils);
    const range = rangeOfLast(now, more);
    const isApart = [range.startContainer, now.lastElementChild?.lastElementChild].some((one) => (one?.closest ? one : one?.parentElement)?.closest(APART));
    if (more > MOST || isApart) veils.replaceChildren();
    else cover(range, Math.min(PART * since, LONGEST));
  };

  let due = 0;
  new MutationObserver(() => {
    const isWriting = document.documentElement.hasAttribute("data-answering");
    if (!isWriting || still.matches) return veils.replaceChildren();
    due ||= requestAnimationFrame(() => { due = 0; grown(); });
  }).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributeFilter: ["data-answering"] });
})();
