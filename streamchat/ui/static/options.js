// The options: which model answers, how thoroughly, and with which instructions. They go out with each question and are
// remembered in the browser.
(() => {
  const { make, icon, text, number } = window.streamchat;
  const MOST = 8_000; // bytes of the header
  const storage = (use) => { try { return use(localStorage); } catch { return null; } };
  const kept = () => {
    try { return { ...JSON.parse(storage((s) => s.getItem("streamchat.options"))) }; } catch { return {}; }
  };
  let allowed = null; // what the server offers
  let remembered = kept();
  let chosen = remembered;
  let note = ""; // why something that was chosen does not hold

  const model = (id) => allowed.models.find((one) => one.id === id);
  const hasKey = () => Boolean(window.streamchat.hasKey?.());
  const isOpenTo = (one) => !one.gone && (!one.beyond || hasKey() || allowed.demo);
  const short = ({ name }) => name.replace(/^Claude /, "");

  // What is no longer offered falls back to what the owner has set.
  const checked = () => {
    note = "";
    const valid = {};
    const { model: id, effort, thinking, search, system } = chosen;
    const one = model(id);
    if (id === undefined || one && isOpenTo(one)) valid.model = id;
    else note = text("model_not_usable", { name: one?.name ?? text("chosen_model"), instead: model(allowed.model).name });
    if (allowed.efforts.includes(effort)) valid.effort = effort;
    if (thinking === false && allowed.thinking.includes(false)) valid.thinking = false;
    if (typeof search === "boolean" && allowed.search.includes(search)) valid.search = search;
    if (typeof system === "string" && system.trim() && allowed.instructions) valid.system = system.slice(0, allowed.instructions);
    return JSON.parse(JSON.stringify(valid)); // without what is undefined
  };
  // What the owner has set anyway need not be sent; JSON in plain ASCII, as a header has to be.
  const header = () => {
    if (!allowed) return "";
    const valid = checked();
    if (valid.model === allowed.model) delete valid.model;
    if (valid.effort === allowed.effort) delete valid.effort;
    if (valid.search === allowed.search[0]) delete valid.search;
    if (!Object.keys(valid).length) return "";
    return JSON.stringify(valid).replace(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  };

  const label = make("span");
  const chip = make("button", { type: "button", className: "sc-button", id: "options-chip", hidden: true }, label, icon("down"));
  chip.setAttribute("aria-haspopup", "dialog");
  chip.setAttribute("aria-expanded", "false");
  const panel = make("div", { id: "options", className: "sc-menu", popover: "auto", role: "dialog", ariaLabel: text("options") });
  chip.popoverTargetElement = panel;

  const draw = () => {
    chip.hidden = !allowed || !(allowed.own_key || isAnswering() && hasChoice());
    if (chip.hidden) return;
    if (!isAnswering()) {
      label.replaceChildren(text("demo"));
      chip.ariaLabel = text("options_now", { chosen: text("demo") });
      return;
    }
    const valid = checked();
    const effort = valid.effort ?? allowed.effort;
    const name = short(model(valid.model ?? allowed.model));
    const how = [effort === allowed.effort ? "" : text(`effort_${effort}`), isSearching(valid) ? text("searches") : ""].filter(Boolean);
    label.replaceChildren(name, ...how.map((textContent) => make("span", { textContent: ` · ${textContent}` })));
    chip.ariaLabel = text("options_now", { chosen: [name, ...how, valid.system && text("with_instructions")].filter(Boolean).join(", ") });
    chip.classList.toggle("has-instructions", Boolean(valid.system));
  };
  const isAnswering = () => !allowed.demo || hasKey(); // Claude, and not the demo
  const maySearch = () => allowed.search.length > 1;
  const isSearching = (valid) => maySearch() && (valid.search ?? allowed.search[0]);
  const hasChoice = () => allowed.models.length > 1 || allowed.efforts.length > 1 || allowed.thinking.length > 1 || maySearch() || allowed.instructions > 0;
  const choose = (change) => {
    remembered = chosen = { ...chosen, ...change };
    storage((s) => s.setItem("streamchat.options", JSON.stringify(chosen)));
    draw();
  };

  const group = (legend, ...children) => make("fieldset", {}, make("legend", { textContent: legend }), ...children);
  const radio = (name, value, checked, disabled, ...content) => {
    const input = make("input", { type: "radio", name: `sc-${name}`, value, checked, disabled });
    input.addEventListener("change", () => choose({ [name]: value }));
    return make("label", {}, input, ...content);
  };
  const models = (current) => group(text("model"), ...allowed.models.map((one) => {
    const why = one.gone ? text("model_unavailable") : isOpenTo(one) ? "" : text("model_too_dear");
    const about = [one.good_for, why].filter(Boolean).map((textContent) => make("small", { textContent }));
    const head = make("span", { className: "sc-head" }, make("strong", { textContent: one.name }), make("small", { textContent: one.price }));
    return radio("model", one.id, one.id === current, !isOpenTo(one), make("span", {}, head, ...about));
  }));
  const efforts = (current) => {
    const all = group(text("effort"), ...allowed.efforts.map((one) => radio("effort", one, one === current, false, make("span", { textContent: text(`effort_${one}`) }))));
    all.className = "sc-steps";
    return all;
  };
  const toggle = (name, words, checked) => {
    const input = make("input", { type: "checkbox", checked });
    input.addEventListener("change", () => choose({ [name]: input.checked }));
    return make("label", { className: "sc-switch" }, make("span", { textContent: text(words) }), input);
  };
  const instructions = (value) => {
    const most = allowed.instructions;
    const box = make("textarea", { id: "sc-instructions", rows: 3, maxLength: most, value, placeholder: text("instructions_example") });
    const left = make("small", { id: "sc-left" });
    left.setAttribute("role", "status");
    box.setAttribute("aria-describedby", left.id);
    const count = () => {
      const long = header().length > MOST;
      left.textContent = long ? text("instructions_too_long") : text("instructions_length", { length: number(box.value.length), most: number(most) });
      left.classList.toggle("is-wrong", long);
    };
    box.addEventListener("input", () => { choose({ system: box.value }); count(); });
    count();
    return make("div", { className: "sc-field" }, make("label", { htmlFor: box.id, textContent: text("instructions") }), box, left);
  };
  const ownKey = () => {
    const open = () => { panel.hidePopover(); window.streamchat.enterKey(); };
    const button = make("button", { type: "button", className: "sc-button", onclick: open }, icon("key"), text("own_key"));
    const use = text(hasKey() ? "own_key_used" : "own_key_use");
    return make("div", { className: "sc-field sc-key" }, button, make("small", { textContent: use }));
  };
  const choices = (valid) => {
    const parts = [];
    if (allowed.models.length > 1) parts.push(models(valid.model ?? allowed.model));
    if (allowed.efforts.length > 1) parts.push(efforts(valid.effort ?? allowed.effort));
    if (allowed.thinking.length > 1) parts.push(toggle("thinking", "show_thinking", valid.thinking ?? true));
    if (maySearch()) parts.push(toggle("search", "search_web", isSearching(valid)));
    if (allowed.instructions) parts.push(instructions(valid.system ?? ""));
    if (parts.length) parts.push(make("small", { className: "sc-hint", textContent: text("options_hold") }));
    return parts;
  };
  const fill = () => {
    const valid = checked();
    const parts = [];
    if (note) parts.push(make("p", { className: "sc-note", textContent: note }));
    if (isAnswering()) parts.push(...choices(valid));
    if (allowed.own_key) parts.push(ownKey());
    panel.replaceChildren(...parts);
  };

  const learn = async () => {
    const answer = await fetch("api/options", { cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return;
    allowed = await answer.json();
    draw();
  };
  panel.addEventListener("beforetoggle", ({ newState }) => { if (newState === "open") fill(); });
  panel.addEventListener("toggle", ({ newState }) => {
    const open = newState === "open";
    chip.setAttribute("aria-expanded", String(open));
    if (open) learn(); // what may be spent changes
  });
  // A conversation has the options with which its last question was asked; a new one has those that are remembered.
  let shown = null;
  let isAsked = false; // whether this page has asked in a new conversation, which is told when it is saved
  document.addEventListener("streamchat:conversation", async ({ detail: { id } }) => {
    if (id === shown) return;
    const isOwn = isAsked && shown === null;
    [shown, isAsked] = [id, false];
    if (isOwn) return;
    const answer = id && await fetch(`conversations/${id}/options`, { cache: "no-store" }).catch(() => null);
    const found = answer?.ok ? await answer.json() : {};
    if (shown !== id) return;
    chosen = Object.keys(found).length ? found : remembered;
    draw();
  });
  document.addEventListener("streamchat:key", draw); // an own key came or went
  document.addEventListener("keydown", (event) => { // Escape closes the panel, and stops no answer
    if (event.key === "Escape" && panel.matches(":popover-open")) event.stopImmediatePropagation();
  }, true);

  const begin = () => {
    document.getElementById("bar-middle").append(chip);
    document.body.append(panel);
    learn();
  };
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
  Object.assign(window.streamchat, { options: { header: () => { isAsked = true; return header(); } } });
})();
