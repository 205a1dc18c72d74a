"""The page's Content-Security-Policy blocks foreign scripts, and the page works under it."""

import mimetypes
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Browser, BrowserContext, Route, expect

from streamchat.examples import USUAL
from streamchat.server import create
from streamchat.settings import Settings
from tests import violations
from tests.application import ROOT, Application
from tests.page import Page
from tests.proxy import Proxy
from tests.scripted_claude import (
    CLOSES,
    Hold,
    ScriptedClaude,
    delta,
    ends,
    opens,
    says,
    start,
    streams,
)
from tests.test_own_key import field, settings

RICH = """# A heading

| a | b |
|---|---|
| 1 | 2 |

Inline \\(a^2\\) and

$$\\int_0^1 x\\,dx$$

```python
def f(x): return x + 1
```

- [x] done
- [ ] to do

[A link](https://example.org/)
"""


@pytest.fixture
def violated(context: BrowserContext) -> list[str]:
    return violations.watch(context)


def test_the_page_works_under_its_policy(
    violated: list[str], page: Page, page_claude: ScriptedClaude, context: BrowserContext
) -> None:
    """Streaming, formulas, code, tables, retry, edit, undo, examples, stop and reload violate
    nothing."""
    page_claude.play(
        says(*RICH.splitlines(keepends=True), thinks=["Let me ", "see."]),
        says("Again."),
        says("Edited."),
        says("Ex."),
    )
    page.ask("Everything, please")
    page.shows("A heading")
    page.ready()
    expect(page.browser.locator(".katex")).to_have_count(2)
    expect(page.browser.locator("pre .token").first).to_be_visible()
    expect(page.browser.locator("td")).to_have_count(2)
    page.browser.reload()
    page.shows("A heading")
    page.press("Retry")
    page.shows("Again.")
    page.ready()
    page.press("Edit")
    page.browser.locator(".user textarea").fill("something else")
    page.press("Submit")
    page.shows("Edited.")
    page.ready()
    page.press("Undo")
    page.ready()
    page.example(USUAL[0])
    page.shows("Ex.")
    page.ready()
    page.new_chat()
    page.shows_not("Ex.")
    assert violated == []


def test_a_reload_during_an_answer_violates_nothing(
    violated: list[str], page: Page, page_claude: ScriptedClaude
) -> None:
    """A page that finds a running answer after a reload, and stops it, violates nothing."""
    hold = Hold()
    page_claude.play(
        streams(start(), opens(), delta("Half"), hold, delta(" and half."), CLOSES, ends())
    )
    page.ask("hi")
    page.shows("Half")
    page.browser.reload()
    page.shows("Half")
    page.stop()
    page.shows("Stopped.")
    assert violated == []


def test_a_visitors_own_key_violates_nothing(
    claude: ScriptedClaude, violated: list[str], context: BrowserContext
) -> None:
    """The dialog for the key, an answer that it pays for, and the bar after its loss violate
    nothing."""
    claude.play(says("On your key."), says("Without it."))
    environment = {
        "ANTHROPIC_API_KEY": "sk-owner",
        "ANTHROPIC_BASE_URL": claude.url,
        "STREAMCHAT_OWN_KEYS": "on",
    }
    with Application(cwd=ROOT, **environment) as app:
        page = Page(context, app.url)
        settings(page)
        field(page).fill("sk-ant-own-0123456789")
        settings(page)
        page.ask("one")
        page.shows("On your key.")
        page.ready()
        page.browser.reload()
        page.ask("two")
        page.browser.get_by_role("button", name="Go on without it").click()
        page.shows("Without it.")
    assert violated == []


def test_the_owners_page_violates_nothing(claude: ScriptedClaude, chromium: Browser) -> None:
    """Figures, a running reply with its stop, and the pause violate nothing."""
    hold = Hold()
    claude.play(streams(start(), opens(), delta("Half"), hold, CLOSES, ends()))
    environment = {"ANTHROPIC_API_KEY": "sk-owner", "ANTHROPIC_BASE_URL": claude.url}
    login = {"username": "x", "password": "open, sesame"}
    with (
        Application(cwd=ROOT, STREAMCHAT_OWNER_PASSWORD="open, sesame", **environment) as app,
        chromium.new_context(http_credentials=login) as context,  # type: ignore[arg-type]
    ):
        violated = violations.watch(context)
        page = Page(context, app.url)
        page.ask("hi")
        page.shows("Half")
        tab = context.new_page()
        tab.goto(f"{app.url}/owner")
        tab.get_by_role("button", name="Stop").click()
        page.shows("Stopped.")
        switch = tab.get_by_role("switch")
        for state in (False, True):
            switch.click()
            expect(switch).to_be_checked(checked=state)
        tab.get_by_role("button", name="30 days").click()
        assert violated == []


def test_a_page_that_comes_back_after_its_network_violates_nothing(
    violated: list[str], app: Application, context: BrowserContext, page_claude: ScriptedClaude
) -> None:
    """A page whose connection dies during an answer reloads and shows the rest."""
    hold = Hold()
    page_claude.play(
        streams(start(), opens(), delta("Half"), hold, delta(" and half."), CLOSES, ends())
    )
    with Proxy(int(app.url.rpartition(":")[2])) as way:
        page = Page(context, way.url)
        page.ask("hi")
        page.shows("Half")
        way.cut()
        with page.comes_back():
            way.restore()
        page.shows("Half")
        hold.release()
        page.shows("Half and half.")
    assert violated == []


BUCKET = "https://gradio.s3-us-west-2.amazonaws.com/"
FRONT_END = Path(gr.__file__).parent / "templates" / "frontend"


def from_the_bucket(route: Route) -> None:
    """Serves the front end that a share link's page loads from Gradio's bucket out of the installed
    package."""
    file = FRONT_END / route.request.url.removeprefix(BUCKET).partition("/")[2]
    kind = mimetypes.guess_type(file.name)[0] or "text/plain"
    route.fulfill(
        body=file.read_bytes(), content_type=kind, headers={"Access-Control-Allow-Origin": "*"}
    )


def test_the_page_of_a_share_link_works_under_its_policy(
    monkeypatch: pytest.MonkeyPatch, violated: list[str], context: BrowserContext
) -> None:
    """A share link's page, whose front end comes from another site, violates its policy for one
    missing style sheet only."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    app = create(Settings(data_dir=""))
    context.route(f"{BUCKET}**", from_the_bucket)
    with app.launch() as running:
        vars(app.page).update(share=True)
        page = Page(context, running.url)
        assert BUCKET in page.browser.content()
        page.ask("Show me everything Markdown can do")
        expect(page.browser.locator(".katex").first).to_be_visible()
        expect(page.browser.locator("pre .token").first).to_be_visible()
        assert page.errors == []
    assert [it for it in violated if f"{BUCKET}assets/" not in it] == []


ADD = """const add = (name, attributes) => {
  const element = Object.assign(document.createElement(name), attributes);
  document.body.append(element);
  return element;
};"""
SCRIPTS = {
    "inline": "add('script', { textContent: 'ran = 1' })",
    "handler": "document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror=\"ran = 1\">')",
    "another site's": "add('script', { src: 'https://example.org/x.js' })",
    "data": "add('script', { src: 'data:text/javascript,ran=1' })",
    "blob": "add('script', { src: URL.createObjectURL(new Blob(['ran = 1'])) })",
    "link": "add('a', { href: 'javascript:ran=1' }).click()",
    "evaluated": "setTimeout('ran = 1')",
    "frame": "add('iframe', { src: 'https://example.org/' })",
    "form": "add('form', { action: 'https://example.org/' }).submit()",
}


def test_no_script_runs_but_the_pages_own(violated: list[str], page: Page) -> None:
    """Markup that was injected into the page runs no script."""
    page.browser.evaluate("addEventListener('securitypolicyviolation', it => seen.push(it))")
    for way, script in SCRIPTS.items():
        violated.clear()
        page.browser.evaluate(f"() => {{ window.seen = []; {ADD} {script} }}")
        page.browser.wait_for_function("() => seen.length")
        assert page.browser.evaluate("typeof ran") == "undefined", way
        assert violated, way


def test_no_event_of_the_page_has_a_script(page: Page) -> None:
    """No event has a `js` argument, which Gradio would compile, so that the policy would need
    `unsafe-eval`."""
    assert page.browser.evaluate("gradio_config.dependencies.filter(({ js }) => js).length") == 0
    assert (
        "unsafe-eval"
        not in page.browser.request.get(page.browser.url).headers["content-security-policy"]
    )


def test_another_sites_page_cannot_frame_the_chat(
    app: Application, context: BrowserContext
) -> None:
    """Clickjacking: another site cannot show the chat in a frame."""
    framing = {"content_type": "text/html", "body": f"<iframe src='{app.url}/'></iframe>"}
    for host in ("http://evil.test", app.url):
        context.route(f"{host}/framing", lambda route: route.fulfill(**framing))
    page = context.new_page()
    page.goto(app.url + "/framing")
    expect(page.frame_locator("iframe").locator("#message")).to_be_visible()
    page.goto("http://evil.test/framing")
    page.wait_for_load_state("networkidle")
    expect(page.frame_locator("iframe").locator("#message")).to_have_count(0)
    assert page.frames[1].url.startswith("chrome-error:")
