// A receipt is one quiet line that opens. Its text has a mark between the line and the details, which no words of others have.
(() => {
  const { make, text, onNote } = window.streamchat;
  const RECEIPT = /: \u2063(?:[^\u2063]*\n)?([^\u2063\n]+)\u2063(?!\n\n\[)\s*([^\u2063]+)$/;

  const row = (line) => {
    const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
    return name ? [make("dt", { textContent: name }), make("dd", { textContent: value })]
      : [make("dd", { textContent: line })];
  };
  const open = (note) => {
    const [, line, details] = RECEIPT.exec(note.ariaLabel) ?? [];
    const place = [...note.querySelectorAll("p")].at(-1);
    if (!line || !place || place.firstElementChild?.matches(".sc-receipt")) return;
    const rows = details.split("\n").flatMap((each) => row(each.trim()));
    place.replaceChildren(make("details", { className: "sc-receipt" },
      make("summary", { title: text("receipt"), textContent: `\u2063${line}` }), make("dl", {}, ...rows)));
  };
  onNote(open);
})();
