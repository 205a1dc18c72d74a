// The words of the page, which the server has put into its head, by their codes. Values stand in their places in braces.
(() => {
  const words = JSON.parse(document.querySelector('meta[name="words"]').content);
  const text = (code, values = {}) => words[code].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const number = (value) => value.toLocaleString(words.locale);
  // a word with a number has a form for each of the language's plurals
  const plurals = new Intl.PluralRules(words.locale);
  const counted = (code, count) => text(`${code}_${plurals.select(count)}`, { count: number(count) });
  Object.assign(window.streamchat ??= {}, { text, number, counted });
})();
