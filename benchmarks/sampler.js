// Notes which word was the last one on the screen, and when: `sampled` is [when Enter was pressed, [when, word], ...].
([answers, letter, lastWord]) => {
  const words = new RegExp(`${letter}(\\d+)`, "g");
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  const { port1: painted, port2: painting } = new MessageChannel();
  window.sampled = new Promise((resolve) => {
    const samples = [0];
    let highest = -1;
    let waiting = false;
    const look = () => {
      waiting = false;
      const texts = [...document.querySelectorAll(answers)].slice(-2).map((answer) => answer.textContent.slice(-400));
      const word = Math.max(-1, ...texts.flatMap((text) => [...text.matchAll(words)].map(([, number]) => Number(number))));
      if (word > highest) painting.postMessage((highest = word));
    };
    const watch = new MutationObserver(() => {
      if (!waiting) requestAnimationFrame(look);
      waiting = true;
    });
    painted.onmessage = ({ data: word }) => { // the task after the frame that painted it
      samples.push([now(), word]);
      if (word < lastWord) return;
      watch.disconnect();
      resolve(samples);
    };
    watch.observe(document.body, { childList: true, subtree: true, characterData: true });
    document.addEventListener("keydown", ({ key }) => { if (key === "Enter") samples[0] ||= now(); }, true);
  });
}
