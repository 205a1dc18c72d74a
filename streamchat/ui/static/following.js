// Keeps the end of a growing answer in view, until the reader moves up. Gradio's own autoscroll pulls them back.
(() => {
  const { elements } = window.streamchat.gradio;
  const NEAR = 40; // px from the end, within which following begins again
  let log = null; // the element that scrolls
  let following = true;
  let top = 0; // where it was scrolled to when last seen
  let height = 0; // of its content
  let questions = 0;

  const fromEnd = () => log.scrollHeight - log.clientHeight - log.scrollTop;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  const remember = () => { top = log.scrollTop; height = log.scrollHeight; };

  const moved = () => {
    const end = Math.min(height, log.scrollHeight) - log.clientHeight; // the browser moves up a view beyond it
    const up = log.scrollTop < Math.min(top, end) - 1;
    const down = log.scrollTop > top;
    if (up) following = false;
    else if (down && fromEnd() <= NEAR) following = true;
    remember();
  };
  const letGo = () => { if (log.scrollTop > 0) following = false; };
  const turned = ({ deltaY }) => { if (deltaY < 0) letGo(); };
  const pressed = ({ key }) => { if (["ArrowUp", "PageUp", "Home"].includes(key)) letGo(); };

  let touched = 0;
  const touchBegan = ({ touches }) => { touched = touches[0].clientY; };
  const touchMoved = ({ touches }) => { if (touches[0].clientY > touched) letGo(); };

  const grown = () => {
    if (following && questions) toEnd();
    remember();
  };
  const sizes = new ResizeObserver(grown);

  const watch = (element) => {
    log = element;
    following = true;
    log.tabIndex = 0; // for the keyboard: nothing else in it scrolls it
    log.addEventListener("scroll", moved, { passive: true });
    log.addEventListener("wheel", turned, { passive: true });
    log.addEventListener("touchstart", touchBegan, { passive: true });
    log.addEventListener("touchmove", touchMoved, { passive: true });
    log.addEventListener("keydown", pressed);
    remember();
  };

  const changed = () => {
    const now = document.querySelector(elements.log);
    if (!now) return;
    if (now !== log) watch(now);
    sizes.disconnect();
    sizes.observe(log);
    for (const child of log.children) sizes.observe(child);
    const asked = log.querySelectorAll(elements.question).length;
    const isHeld = document.documentElement.hasAttribute("data-holding"); // by versions.js
    if (asked > questions && !isHeld) following = true; // a new question comes into view
    if (!asked && questions) log.scrollTop = 0; // the welcome begins at its top
    questions = asked;
    grown();
  };
  // the log's own children change with each message, its words do not matter here
  let due = 0;
  new MutationObserver(() => { due ||= requestAnimationFrame(() => { due = 0; changed(); }); })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
