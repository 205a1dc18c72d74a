// A toast: one sentence at the bottom edge that goes by itself, with at most one thing to do about it.
(() => {
  const { make, button, text } = window.streamchat;
  const MOST = 3; // at a time
  const region = make("div", { id: "toasts" });
  region.setAttribute("role", "status");

  // It stays for as long as the pointer or the focus is on it.
  const leaveAfter = (seconds, toast, close) => {
    let timer = 0;
    const wait = () => { clearTimeout(timer); timer = setTimeout(close, seconds * 1000); };
    const stay = () => clearTimeout(timer);
    for (const [event, act] of Object.entries({ pointerenter: stay, focusin: stay, pointerleave: wait, focusout: wait })) {
      toast.addEventListener(event, act);
    }
    wait();
  };

  const toast = (sentence, { action, act, seconds = 6 } = {}) => {
    const it = make("div", { className: "toast" }, make("span", { textContent: sentence }));
    const close = () => it.remove();
    if (action) it.append(make("button", { type: "button", className: "sc-button", textContent: action, onclick: () => { close(); act(); } }));
    it.append(button(text("dismiss"), "close", close));
    for (const other of [...region.children]) if (other.textContent === it.textContent) other.remove();
    while (region.children.length >= MOST) region.firstChild.remove();
    region.append(it);
    leaveAfter(seconds, it, close);
    return close;
  };

  const begin = () => document.body.append(region);
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);

  Object.assign(window.streamchat, { toast });
})();
