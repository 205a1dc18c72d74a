import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from streamchat.system import environment
from tests import browser
from tests.application import ROOT, Application
from tests.page import Page, rest
from tests.scripted_claude import ScriptedClaude, says

environment.set_defaults()
# Tests ask only this machine, over plain HTTP. A client that loads one certificate instead of all
# is made ten times as fast.
os.environ.setdefault("SSL_CERT_FILE", str(Path(__file__).parent / "data" / "authority.pem"))
# how long an example takes says more about the machine than about the code
ANY_MACHINE = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("ordinary", ANY_MACHINE, max_examples=30)
# for `python -m tests --hypothesis-profile=deep`
hypothesis.settings.register_profile("deep", ANY_MACHINE, max_examples=1_000)
hypothesis.settings.load_profile("ordinary")

# A browser and a server share the processors with whatever else the machine does, and a test waits
# for them only so long. It runs once more when it fails, so that a busy machine rejects no release;
# the summary lists it as RERUN.
PAGES = {"playwright", "app"}
ONCE_MORE = pytest.mark.flaky(reruns=1)
running: pytest.Item | None = None
following: pytest.Item | None = None
# the second one is raised by `tests/application.py`
STARTS = {"subprocess.Popen", "tests.process"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # those of pages last and together, so that they share a browser
    items.sort(key=lambda item: "playwright" in getattr(item, "fixturenames", ()))
    for item in items:
        if PAGES & set(getattr(item, "fixturenames", ())):
            item.add_marker("process")
            item.add_marker(ONCE_MORE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    global running, following  # noqa: PLW0603 - neither an audit hook nor a fixture gets them
    running, following = item, nextitem
    result = yield
    running = None
    return result


def check_process(event: str, _: Any) -> None:
    """A test that starts a process must have the marker `process`, which `--fast` relies on."""
    if event in STARTS and running and not running.get_closest_marker("process"):
        raise AssertionError(
            f"{running.nodeid} starts a process: mark it with @pytest.mark.process."
        )


sys.addaudithook(check_process)


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


class Browsers:
    """Playwright and its browsers, each of which starts when it is wanted."""

    def __init__(self, executable: str, profile: Path) -> None:
        self._stack = ExitStack()
        self._executable = executable
        self._profile = profile

    @cached_property
    def playwright(self) -> Playwright:
        return self._stack.enter_context(sync_playwright())

    @cached_property
    def chromium(self) -> Browser:
        return self.playwright.chromium.launch(
            executable_path=self._executable, args=browser.LAUNCH_ARGS
        )

    @cached_property
    def window(self) -> BrowserContext:
        return self.playwright.chromium.launch_persistent_context(
            self._profile, executable_path=self._executable, args=browser.LAUNCH_ARGS
        )

    def close(self) -> None:
        """The same object starts them again."""
        for name in ("playwright", "chromium", "window"):
            vars(self).pop(name, None)
        self._stack.close()


@pytest.fixture(scope="session")
def browsers(chromium_path: str, tmp_path_factory: pytest.TempPathFactory) -> Browsers:
    return Browsers(chromium_path, tmp_path_factory.getbasetemp() / "profile")


@pytest.fixture(scope="module")
def playwright(browsers: Browsers) -> Iterator[Playwright]:
    """Stays open from file to file until a test does without it: while it is open, no other event
    loop can run."""
    yield browsers.playwright
    if "playwright" not in getattr(following, "fixturenames", ()):
        browsers.close()


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, browsers: Browsers) -> Browser:
    return browsers.chromium


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with chromium.new_context() as context:
        yield context


@pytest.fixture(scope="module")
def window(playwright: Playwright, browsers: Browsers) -> BrowserContext:
    """A window of an ordinary profile, which keeps compiled scripts, and a tab of it keeps its
    process: a page loads in half the time that it takes in a context of its own."""
    return browsers.window


@pytest.fixture
def emptied(window: BrowserContext) -> Iterator[BrowserContext]:
    """The window, which keeps nothing of an app from one test to the next. A test that changes
    what cannot be undone, such as a script for every page or the clock, needs `context`."""
    yield window
    # without its first tab, the window would close
    for tab in window.pages[2:]:
        tab.close()
    window.unroute_all()
    for tab in window.pages[1:]:
        rest(tab)
    window.clear_cookies()
    window.clear_permissions()


@pytest.fixture(scope="session")
def asked_claude() -> Iterator[ScriptedClaude]:
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture(scope="session")
def app(asked_claude: ScriptedClaude) -> Iterator[Application]:
    """The app with the scripted Claude behind it, for all tests that leave it as they found it. It
    keeps no ended reply, so that tests do not share answers."""
    key = {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": asked_claude.url}
    with Application(cwd=ROOT, STREAMCHAT_KEEP_SECONDS="0", **key) as application:
        yield application


@pytest.fixture
def page_claude(asked_claude: ScriptedClaude) -> ScriptedClaude:
    """The scripted Claude behind `page`, without the requests of earlier tests."""
    asked_claude.exchanges.clear()
    asked_claude.play(says("Hello", " there"))
    return asked_claude


@pytest.fixture
def page(
    app: Application,
    page_claude: ScriptedClaude,
    playwright: Playwright,
    request: pytest.FixtureRequest,
) -> Page:
    """A page of the app, in the test's own context where it asks for one."""
    own = "context" in request.fixturenames
    context: BrowserContext = request.getfixturevalue("context" if own else "emptied")
    return Page(context, app.url)
