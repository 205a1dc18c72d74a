// Sources of an answer. Gradio's sanitizer takes away the names of their numbers, and Gradio copies them as HTML.
(() => {
  const { text } = window.streamchat;
  const NUMBER = ".sc-cite";
  const SOURCE = /<(a|span) class="sc-cite".*?<\/\1>/g;
  const ASIDE = /\n*<(details|div) class="sc-(?:search|sources)">.*?<\/\1>\n*/g;

  const name = (one) => {
    one.ariaLabel = text("source_named", { number: one.textContent.replace(/\D/g, ""), about: one.title });
    if (!one.href) one.role = "note";
  };
  new MutationObserver((records) => {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
      if (node.matches?.(NUMBER)) name(node);
      node.querySelectorAll?.(NUMBER).forEach(name);
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body;
  const address = ({ href }) => href.replace(/[()<>[\]]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  const words = (title) => title.replace(/[\\[\]<>*_`]/g, "\\$&");
  const number = (html) => {
    const { firstElementChild: one } = parsed(html);
    return one.href ? `[${one.textContent}](${address(one)})` : one.textContent;
  };
  const line = (item) => {
    const link = item.querySelector("a");
    const title = words(link?.textContent ?? item.textContent);
    return `${item.value}. ${link ? `[${title}](${address(link)})` : title}`;
  };
  const aside = (html) => {
    const lines = [...parsed(html).querySelectorAll(".sc-sources li")].map(line);
    return `\n\n${lines.join("\n")}${lines.length ? "\n\n" : ""}`;
  };
  // An answer's Markdown with ordinary links to its sources. An answer has no such HTML of its own: all of it is inert.
  window.streamchat.withLinks = (answer) => {
    const linked = answer.replace(SOURCE, number).replace(ASIDE, aside);
    return linked === answer ? answer : linked.trim();
  };
})();
