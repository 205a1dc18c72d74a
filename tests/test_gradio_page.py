"""Gradio's page as the chat's styles and scripts know it, seen once in Chromium.

`static/gradio_internals.css` and `.js` hold what depends on Gradio's own names. One visit brings
the page into one state after another, and each state is checked for what can be seen only there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from streamchat.ui.layout import STATIC
from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import (
    CLOSES,
    Hold,
    ScriptedClaude,
    delta,
    ends,
    opens,
    start,
    streams,
    thought,
)

CODE = "```python\n" + "".join(f"river_{number} = {number}\n" for number in range(400)) + "```"
HEBREW = "> \u05e9\u05dc\u05d5\u05dd\n\n| \u05d0 | \u05d1 |\n|-|-|\n| \u05d2 | \u05d3 |\n\n"
ANSWER = (
    "First of all, **strong** `code` and [a link](https://x.example).\n\n---\n\n"
    "## Two\n\n# One\n\n### Three\n\n> left\n\n1. a\n   - b\n\nTasks:\n\n- [x] done\n- [ ] open\n\n"
    "| a | b |\n|-|-|\n| c | d |\n\n"
    f"{HEBREW}{CODE}\n\nA formula: \\(x^2\\), and one more:\n\n$$y^2$$\n\n```\n"
)
NOTE = '[aria-label^="bot\'s message: \u2063"]'
CALLOUT = '[aria-label*=": \u2063\u2063"]'
ACT = f"{CALLOUT} .sc-act"

# state, element, property, value; `share`: its width as a part of its parent's; `shown`: how
# many are to be seen; ~ begins a pattern
STYLES = """
start | .column:has(> #allowance) | display | contents
start | .column:has(> .gr-group) | rowGap | 0px
start | .column:has(> .gr-group) > .block:first-child | position | absolute
start | .block:has(> .wrapper > [role="log"]) | borderTopWidth | 0px
low | .wrapper:has(> [role="log"]) | minHeight | 0px
start | [role="log"] | overscrollBehaviorY | contain
start | [role="log"] | after position | sticky
start | .gr-group | borderTopWidth | 0px
start | .form:has(> #message) | backgroundColor | rgba(0, 0, 0, 0)
start | .column > .gr-group | width | 760px
start | .placeholder-content | width | 760px
start | .placeholder-content .placeholder | flexGrow | 0
start | .placeholder-content .prose | textAlign | center
start | .placeholder-content .prose h3 | fontSize | 28px
start | .placeholder-content .prose h3 | before display | block
low welcome | .placeholder-content .prose h3 | before display | none
low welcome | .placeholder-content | paddingTop | 8px
low welcome | .placeholder-content .examples | rowGap | 8px
low welcome | .placeholder-content .example | paddingTop | 8px
start | .placeholder-content .prose em | fontStyle | normal
start | .placeholder-content .prose p | fontSize | 16px
start | .placeholder-content .examples | gridTemplateColumns | 2
start | .placeholder-content .examples | columnGap | 12px
start | .placeholder-content .example | backgroundColor | rgba(0, 0, 0, 0)
pointed welcome | .placeholder-content .example:hover | transform | none
start | .placeholder-content .example-text-content | marginTop | 0px
start | .placeholder-content .example-text | whiteSpaceCollapse | collapse
start | .placeholder-content .example-text | lineHeight | 20.3px
waiting | .wrap.minimal > .progress-text | display | none
answered | .icon-button-wrapper.top-panel | display | none
answering | .user-row .message-buttons .icon-button:not(:first-child) | pointerEvents | none
answering | .bot-row .message-buttons | visibility | hidden
answered | .message-wrap | width | 760px
answered | .message-row.panel.bot-row | paddingBottom | 24px
answered | .message-row.panel.bot-row | backgroundColor | rgba(0, 0, 0, 0)
answered | .message-row.panel.user-row | paddingBottom | 8px
answered | .message-row.panel.user-row > .flex-wrap | alignItems | flex-end
answered | .user-row .user.message | maxWidth | 85%
answered | .user-row .user.message > .message | borderTopLeftRadius | 20px
answered | .bot.message .message | contain | layout paint
answered | .bot.message .prose | overflowWrap | anywhere
answered | .bot.message .prose p | unicodeBidi | plaintext
answered | .user-row .prose .code_wrap | borderTopStyle | none
answered | .user-row .prose .copy_code_button | display | none
answered | .user-row .prose pre | fontFamily | ui-sans-serif, system-ui, sans-serif
answered | .user-row .prose pre | overflow | visible
answered | .user-row .prose pre code | whiteSpace | pre-wrap
answered | .bot.message | flexDirection | column
answered | .bot.message > .message | marginBottom | 0px
answered | .bot.message > .message ~ .message | marginTop | 16px
answered | .bot.message > .message-buttons | order | 2
answered | .bot.message > .message-buttons | marginLeft | -7px
answered | .bot.message > .message:has(> {NOTE}) | order | 1
answered | .bot.message > .message:has(> {NOTE}) + .message-buttons | display | none
answered | .bot.message > .message:has(> * > .thought-group) + .message-buttons | display | none
answered | .bot.message > .message-buttons | shown | 1
answered | .message-buttons .icon-button-wrapper | borderTopWidth | 0px
answered | .bot-row .message-buttons | marginTop | 4px
answered | .message-buttons .icon-button | width | 32px
answered | .bot-row .message-buttons .icon-button | after display | none
answered | .message-buttons .icon-button > div | width | 18px
answered | .user-row .message-buttons | opacity | 0
pointed | .user-row .message-buttons .icon-button:hover | color | rgb(28, 28, 33)
answered | .thought-group | borderTopWidth | 0px
answered | .thought-group .title | minHeight | 32px
answered | .thought-group .title .md | color | rgb(93, 93, 104)
thinking | .thought-group .content | paddingLeft | 16px
thinking | .thought-group .content p | color | rgb(93, 93, 104)
thinking | .thought-group .message-content | opacity | 1
answered | {NOTE} .prose | fontSize | 12px
answered | {NOTE} .prose p | color | rgb(93, 93, 104)
answered | .bot.message .prose.chatbot.md | opacity | 1
answered | .bot.message .prose.md:has(> h1) | lineHeight | 26.4px
answered | .bot.message .prose.md > p + hr | marginTop | 16px
answered | .bot.message .prose.md > h1 | marginBottom | 0px
answered | .bot.message .prose.md > h1 | fontSize | 24px
answered | .bot.message .prose.md > h2 | fontSize | 20px
answered | .bot.message .prose.md > h3 | fontSize | 17.6px
answered | .bot.message .prose.md > hr + h2 | marginTop | 24px
answered | .bot.message .prose.md > h3 + * | marginTop | 8px
answered | .bot.message .prose strong | fontWeight | 600
answered | .bot.message .prose ol ul | fontSize | 16px
answered | .bot.message .prose.md > ul | listStyleType | disc
answered | .bot.message .prose ol ul | listStyleType | circle
answered | .bot.message .prose li | marginTop | 4px
answered | .bot.message .prose blockquote:dir(ltr) | borderLeftWidth | 3px
answered | .bot.message .prose blockquote:dir(rtl) | borderRightWidth | 3px
answered | .bot.message .prose a | textDecorationColor | rgb(79, 70, 229)
answered | .bot.message .prose :not(pre) > code | display | inline
answered | .bot.message .prose .code_wrap | backgroundColor | rgb(246, 246, 248)
answered | .bot.message .prose .code_wrap | before content | "python"
answered | .bot.message .prose pre | paddingTop | 0px
answered | .bot.message .prose pre code | fontSize | 14px
answered | .bot.message .prose .copy_code_button | width | ~[5-9].*px
answered | .bot.message .prose .copy_code_button | after content | "Copy"
answered | .bot.message .prose table | display | block
answered | .bot.message .prose td | wordBreak | normal
answered | .bot.message .prose td | overflowWrap | normal
answered | .bot.message .prose td | borderRightWidth | 0px
answered | .bot.message .prose tr | borderTopWidth | 0px
answered | .bot.message .prose th | fontWeight | 600
answered | .bot.message .prose li:has(> input) | listStyleType | none
answered | .bot.message .prose input:checked | backgroundColor | rgb(79, 70, 229)
answered | .bot.message .prose table:dir(rtl) | marginLeft | ~[1-9].*px
scrolled | .scroll-down-button-container .icon-button | width | 36px
editing | .user-row .user.message | share | 0.85
editing | .user-row .user.message > .message | share | 1.00
editing | .edit-textarea | maxHeight | 400px
narrow | .user-row .user.message | maxWidth | 92%
narrow | .bot.message .prose pre code | whiteSpace | pre-wrap
narrow welcome | .placeholder-content .examples | gridTemplateColumns | 1
print | [role="log"] | overflowY | visible
print | .message-buttons | display | none
refused | .bot.message > .message:has({CALLOUT}) | order | 0
refused | {CALLOUT} | borderLeftWidth | 1px
followed | .bot.message > .message:has({CALLOUT}) + .message-buttons | display | none
refused | {CALLOUT} .prose p | color | rgb(95, 58, 0)
refused | .message-row:not(:last-child) .sc-way | display | none
refused | {ACT} | color | rgb(255, 248, 230)
dark | {CALLOUT} | backgroundColor | rgb(43, 34, 19)
dark | {CALLOUT} .prose p | color | rgb(251, 226, 168)
"""

# the names in gradio_internals.js: how many elements they find in which state
ELEMENTS: dict[str, dict[str, Any]] = {
    "send": {"start": 1, "answering": 0},
    "stop": {"start": 0, "answering": 1},
    "boxRow": {"start": ...},
    "editor": {"answered": 0, "editing": 1},
    "questionRow": {"answered": 1, "refused": 2},
    "questionButton": {"answered": ...},
    "edit": {"start": 0, "answered": 1},
    "locked": {"answering": 1},
    "log": {"start": 1},
    "questionText": {"start": 0, "answered": 1},
    "question": {"answered": 1, "refused": 2},
    "note": {"start": 0, "answered": ...},
    "retry": {"start": 0, "answered": ...},
    "callout": {"answered": 0, "refused": 1, "followed": 2},
    "welcome": {"start": 1, "answered": 0},
    "answer": {"answered": 1},
    "answerButtons": {"start": 0, "answered": ...},
    "words": {"answered": ...},
    "piece": {"answered": ...},
    "pieceOfText": {"answered": ...},
    "copyCode": {"answered": ...},
    "codeBlock": {"answered": ...},
    "codeOfAnswer": {"start": 0, "answered": ...},
    "sided": {"answered": 0},
    "formula": {"answered": ...},
    "outerFormula": {"answered": 2},
    "formulaBlock": {"answered": 1},
    "formulaSource": {"answered": 2},
    "clipboard": {"answered": 0, "copying": 1},
}

# Before the page's scripts: what reaches the browser. After them: what Gradio asks for.
COUNT = """name => {
  const seen = (window.counted ??= {})[name] = { cloned: 0, turned: 0 };
  const clone = window.structuredClone;
  window.structuredClone = (value, ...options) => {
    if (Object(value) !== value) seen.cloned++;
    return clone(value, ...options);
  };
  const direction = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "dir");
  Object.defineProperty(HTMLElement.prototype, "dir", {
    ...direction,
    set(value) { if (this.getAttribute("dir") === value) seen.turned++; direction.set.call(this, value); },
  });
}"""

EVENTS = """() => {
  const { addresses, events, event, first, isOfBox, asks } = streamchat.gradio;
  const asking = events.filter(({ id }) => asks(id));
  const ofBox = asking.filter(({ id }) => isOfBox(id));
  return {
    addresses: [addresses],
    asks: asking.map(({ api_name }) => api_name),
    ofBox: ofBox.map(({ api_name }) => api_name),
    first: ofBox.map(({ id }) => first(id) !== event(id) && first(id).id !== id),
  };
}"""

# The values of all probes, and the rules of which they notice that each is gone, beside those that
# are known to be noticed.
LOOK = r"""([css, probes, known]) => {
  const flat = (sheet) => [...sheet.cssRules].flatMap((rule) => (rule.cssRules?.length ? flat(rule) : [rule]));
  const name = ({ selectorText, style, parentRule }) => [
    // Gradio gives each rule a second time, for its own container alone
    selectorText?.replace(/\.gradio-container\S* \.contain |\.dark /g, ""), style?.cssText, parentRule?.conditionText,
  ].join();
  const file = new CSSStyleSheet();
  file.replaceSync(css);
  const live = [...document.styleSheets].filter(({ href }) => !href).flatMap(flat);
  const value = ([selector, key]) => {
    const found = document.querySelector(selector);
    if (!found) return null;
    const isShown = (one) => one.checkVisibility();
    const [part, name] = key.split(" ");
    if (name) return getComputedStyle(found, `::${part}`)[name];
    if (key === "shown") return String([...document.querySelectorAll(selector)].filter(isShown).length);
    if (key === "share") return (found.offsetWidth / found.parentElement.clientWidth).toFixed(2);
    const text = getComputedStyle(found)[key];
    return key === "gridTemplateColumns" ? String(text.split(" ").length) : text;
  };
  const without = (rule) => {
    const gone = live.filter((one) => name(one) === name(rule)).map((one) => {
      const parent = one.parentRule ?? one.parentStyleSheet;
      return [parent, [...parent.cssRules].indexOf(one), one.cssText];
    }).reverse();
    for (const [parent, at] of gone) parent.deleteRule(at);
    const values = probes.map(value);
    for (const [parent, at, text] of gone.reverse()) parent.insertRule(text, at);
    return values;
  };
  const values = probes.map(value);
  const noticed = flat(file).map((rule, number) => {
    if (known.includes(number)) return [rule.cssText, true];
    const found = [rule.cssText, without(rule).some((one, number) => one !== values[number])];
    live.splice(0, live.length, ...[...document.styleSheets].filter(({ href }) => !href).flatMap(flat));
    return found;
  });
  return { values, noticed };
}"""


@dataclass
class Seen:
    """The page as it looked in its states."""

    styles: dict[tuple[str, str, str], str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    noticed: set[int] = field(default_factory=set)
    elements: dict[str, dict[str, int]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    events: dict[str, list[Any]] = field(default_factory=dict)
    counted: dict[str, dict[str, int]] = field(default_factory=dict)
    copied: str = ""


def probes() -> list[tuple[str, str, str, str]]:
    names = {"NOTE": NOTE, "CALLOUT": CALLOUT, "ACT": ACT}
    lines = [line.split(" | ") for line in STYLES.strip().splitlines()]
    return [
        (state, selector.format_map(names), key, value) for state, selector, key, value in lines
    ]


class Tour:
    """Brings the page into its states and checks each one."""

    def __init__(self, page: Page, claude: ScriptedClaude) -> None:
        self.page = page
        self.browser = page.browser
        self.claude = claude
        self.seen = Seen()

    def look(self, state: str) -> None:
        # two frames of the screen, after which all scripts have seen the state
        self.browser.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        wanted = [(selector, key) for at, selector, key, _ in probes() if at == state]
        css = (STATIC / "gradio_internals.css").read_text("utf-8")
        found = self.browser.evaluate(LOOK, [css, wanted, [*self.seen.noticed]])
        for (selector, key), value in zip(wanted, found["values"], strict=True):
            self.seen.styles[state, selector, key] = value
        self.seen.rules = [rule for rule, _ in found["noticed"]]
        self.seen.noticed |= {
            number for number, (_, noticed) in enumerate(found["noticed"]) if noticed
        }
        count = "() => Object.fromEntries(Object.entries(streamchat.gradio.elements).map("
        count += "([name, selector]) => [name, document.querySelectorAll(selector).length]))"
        self.seen.elements[state] = self.browser.evaluate(count)

    def welcome(self) -> None:
        # as where the demo answers
        self.browser.locator(".placeholder-content .prose p").evaluate(
            "words => words.append(document.createElement('em'))"
        )
        self.look("start")
        self.browser.locator(".example").first.hover()
        self.look("pointed welcome")
        self.browser.set_viewport_size({"width": 390, "height": 800})
        self.look("narrow welcome")
        self.browser.set_viewport_size({"width": 1100, "height": 700})
        self.look("low welcome")
        self.browser.set_viewport_size({"width": 1100, "height": 800})

    def answer(self) -> None:
        first, thinks, last = Hold(), Hold(), Hold()
        thinking = [opens("thinking"), thought("Let me see."), thinks, CLOSES]
        rest = [delta("a = 1\n```\n\nThe end."), CLOSES, ends("max_tokens", 1_000)]
        self.claude.play(streams(start(), first, *thinking, opens(), delta(ANSWER), last, *rest))
        self.browser.evaluate(COUNT, "asked")
        self.page.ask("How do I list all rivers?")
        expect(self.browser.locator(".wrap.minimal")).to_be_attached()
        self.look("waiting")
        first.release()
        self.page.shows("Let me see.")
        self.look("thinking")
        thinks.release()
        self.page.shows("one more")
        self.look("answering")
        last.release()
        self.page.shows("longest allowed length")
        self.page.ready()
        self.look("answered")
        self.browser.locator(".user-row .icon-button").first.hover()
        self.look("pointed")
        self.browser.get_by_role("log").evaluate("log => { log.scrollTop = 0 }")
        expect(self.browser.locator(".scroll-down-button-container")).to_be_visible()
        self.look("scrolled")

    def copy(self) -> None:
        self.browser.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.press("Copy message")
        self.browser.wait_for_function(
            "async () => (await navigator.clipboard.readText()).includes('The end.')"
        )
        self.seen.copied = self.browser.evaluate("navigator.clipboard.readText()")
        # as over plain http
        self.browser.evaluate("""() => {
          delete Navigator.prototype.clipboard;
          const { clipboard } = streamchat.gradio.elements;
          const copies = ({ target }) => { window.isCopied = Number(target.matches?.(clipboard) ?? 0); };
          document.addEventListener("copy", copies, true);
        }""")
        self.page.press("Copy message")
        self.browser.wait_for_function("() => 'isCopied' in window", timeout=5000)
        self.seen.elements["copying"] = {"clipboard": self.browser.evaluate("window.isCopied")}

    def edit(self) -> None:
        self.page.press("Edit")
        expect(self.browser.locator(".edit-textarea")).to_be_visible()
        self.look("editing")
        self.browser.set_viewport_size({"width": 390, "height": 800})
        self.look("narrow editing")
        self.browser.locator(".edit-textarea").press("Escape")

    def resize(self) -> None:
        self.look("narrow")
        self.browser.set_viewport_size({"width": 1100, "height": 500})
        self.look("low")
        self.browser.set_viewport_size({"width": 1100, "height": 800})
        self.browser.emulate_media(media="print")
        self.look("print")
        self.browser.emulate_media(media="screen")

    def refuse(self) -> None:
        self.page.ask("And once more?")
        expect(self.browser.locator(ACT)).to_be_visible()
        self.page.ready()
        self.look("refused")
        # as a receipt follows on a callout
        note = "one => one.closest('.bot.message').append(one.closest('.message').cloneNode(true))"
        self.browser.locator(CALLOUT).evaluate(note)
        self.look("followed")
        self.browser.emulate_media(color_scheme="dark")
        expect(self.browser.locator("body.dark")).to_be_attached()
        self.look("dark")


@pytest.fixture(scope="module")
def seen(chromium: Browser) -> Iterator[Seen]:
    with (
        ScriptedClaude() as claude,
        Application("--host", "127.0.0.2", cwd=ROOT, **environment(claude)) as app,
        chromium.new_context(
            viewport={"width": 1100, "height": 800}, reduced_motion="reduce"
        ) as context,
    ):
        answered: set[str] = set()
        context.on("response", lambda response: answered.update([response.url] * response.ok))
        context.add_init_script(f"({COUNT})('reached')")
        tour = Tour(Page(context, app.url), claude)
        tour.welcome()
        tour.answer()
        tour.edit()
        tour.resize()
        tour.copy()
        tour.refuse()
        tour.seen.answered = answered
        tour.seen.counted = tour.browser.evaluate("window.counted")
        tour.seen.events = tour.browser.evaluate(EVENTS)
        yield tour.seen


def environment(claude: ScriptedClaude) -> dict[str, str]:
    """The environment of an app in which a visitor has one answer."""
    knobs = {"VISITOR_BUDGET_USD": "0.02", "MAX_TOKENS": "1000", "OWN_KEYS": "on"}
    own = {f"STREAMCHAT_{name}": value for name, value in knobs.items()}
    return own | {"ANTHROPIC_API_KEY": "sk-owner", "ANTHROPIC_BASE_URL": claude.url}


@pytest.mark.process
def test_the_page_looks_as_it_should(seen: Seen) -> None:
    """Gradio's element still exists, and our rule for it still applies."""
    changed = [
        f"{state} | {selector} | {key} | {found}"
        for state, selector, key, value in probes()
        if not fits(value, found := seen.styles[state, selector, key])
    ]
    assert not changed, "\n".join(changed)


def fits(value: str, found: str | None) -> bool:
    if value.startswith("~"):
        return bool(re.fullmatch(value[1:], found or ""))
    return found == value


@pytest.mark.process
def test_each_rule_is_seen(seen: Seen) -> None:
    """Each rule has a probe, which fails if the rule is deleted or has no effect."""
    assert [rule for number, rule in enumerate(seen.rules) if number not in seen.noticed] == []


@pytest.mark.process
def test_the_scripts_find_gradios_elements(seen: Seen) -> None:
    """Each selector finds its element when that is there, and nothing before."""
    for name, states in ELEMENTS.items():
        for state, count in states.items():
            found = seen.elements[state][name]
            assert found == count if count is not ... else found > 0, (name, state)


@pytest.mark.process
def test_each_element_is_looked_for(seen: Seen) -> None:
    """Each selector of the scripts has a test."""
    assert set(seen.elements["start"]) == set(ELEMENTS)


@pytest.mark.process
def test_the_page_still_calls_these_addresses(seen: Seen) -> None:
    """The page still requests each address by which the scripts recognise its requests."""
    for name in ("call", "join", "answers", "heartbeat", "process"):
        address = seen.events["addresses"][0][name]
        assert any(address in url for url in seen.answered), name


@pytest.mark.process
def test_the_events_that_ask_are_known(seen: Seen) -> None:
    """One event asks for the box, and four ask for examples, options, retries and edited
    questions."""
    assert seen.events["asks"] == [
        "_submit_fn",
        *(f"_submit_fn_{number}" for number in range(1, 5)),
    ]
    assert seen.events["ofBox"] == ["_submit_fn"]
    assert seen.events["first"] == [True]


@pytest.mark.process
def test_thoughts_are_not_copied_with_an_answer(seen: Seen) -> None:
    """Gradio would put their title and text before it."""
    assert seen.copied.startswith("First of all")
    assert seen.copied.rstrip().endswith("The end.")


@pytest.mark.process
def test_no_text_is_cloned(seen: Seen) -> None:
    """Gradio would clone each text of each message for every frame; the page prevents that."""
    assert seen.counted["asked"]["cloned"] > 0
    assert seen.counted["reached"]["cloned"] == 0


@pytest.mark.process
def test_no_direction_is_set_again(seen: Seen) -> None:
    """Gradio would set each message's direction for every frame, which makes the browser restyle
    the page."""
    assert seen.counted["asked"]["turned"] > 0
    assert seen.counted["reached"]["turned"] == 0
