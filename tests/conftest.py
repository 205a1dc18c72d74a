import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from streamchat.system import environment
from tests import browser
from tests.application import ROOT, Application
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, says

environment.set_defaults()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = os.environ.get("CHROMIUM") or browser.find()
    assert path, "There is no Chromium: `python -m tests` installs one."
    return path


@pytest.fixture(scope="module")  # no longer: while Playwright is open, no other event loop can run
def chromium(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium_path, args=browser.LAUNCH_ARGS)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with chromium.new_context() as context:
        yield context


@pytest.fixture(scope="session")
def asked_claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture(scope="session")
def app(asked_claude: ScriptedClaude) -> Iterator[Application]:
    """The app with the scripted Claude behind it, for all tests that leave it as they found it.

    It keeps no ended reply, so that no test gets an answer that another one has asked for.
    """
    key = {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": asked_claude.url}
    with Application(cwd=ROOT, STREAMCHAT_KEEP_SECONDS="0", **key) as application:
        yield application


@pytest.fixture
def page_claude(asked_claude: ScriptedClaude) -> ScriptedClaude:
    """The scripted Claude behind `page`, as if nobody had asked it yet."""
    asked_claude.exchanges.clear()
    asked_claude.play(says("Hello", " there"))
    return asked_claude


@pytest.fixture
def page(app: Application, context: BrowserContext, page_claude: ScriptedClaude) -> Page:
    return Page(context, app.url)
