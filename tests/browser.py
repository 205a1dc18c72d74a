"""A Chromium for the browser tests: an installed one that starts, or one that is installed now.
Without one the tests fail; they are never skipped."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Browser, BrowserType, Error, sync_playwright

# Playwright itself adds --no-sandbox, --no-first-run and the flags that keep Chromium from talking
# to its maker.
LAUNCH_ARGS = ["--disable-gpu", "--disable-quic"]

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_APPLICATIONS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PACKAGES = (
    "chromium",
    "fonts-liberation",
    "fonts-noto-color-emoji",
    "fonts-noto-cjk",
    # Playwright's driver needs it, and a slim container has none
    "libatomic1",
)

Command = list[str]


class NoBrowser(Exception):
    """There is no Chromium to test with; the message says what to do about it."""


def find() -> str | None:
    """The path of a Chromium that Playwright can start. Raises NoBrowser if CHROMIUM names one that
    it cannot start."""
    # Playwright refuses a thread whose event loop runs, as a test's may
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_find).result()


def install() -> str:
    """The path of a Chromium installed just now, or NoBrowser."""
    for steps in recipes(_distribution(), _as_root()):
        if all(_succeeds(step) for step in steps) and (path := find()):
            return path
    raise NoBrowser(
        "The tests need a Chromium and none could be installed, for the reasons above: "
        "install Chromium or Google Chrome, or set CHROMIUM to the path of one."
    )


def recipes(distribution: set[str], as_root: Command | None) -> Iterator[list[Command]]:
    """The ways to install a Chromium, best first; `as_root` goes before a command, and is None if
    nobody may be root."""
    playwright = [sys.executable, "-m", "playwright", "install"]
    # Ubuntu's is a snap's stub
    if as_root is not None and "debian" in distribution and "ubuntu" not in distribution:
        apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        yield [[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *PACKAGES]]
    if as_root is not None:
        yield [[*playwright, "--with-deps", "chromium"]]
    yield [[*playwright, "chromium"]]


def _find() -> str | None:
    try:
        playwright = sync_playwright().start()
    # a driver that cannot start has no better name; it has said why
    except Exception:  # noqa: BLE001
        return None
    try:
        return _chosen(playwright.chromium)
    finally:
        playwright.stop()


def _chosen(chromium: BrowserType) -> str | None:
    if named := os.environ.get("CHROMIUM"):
        return _checked(chromium, named)
    return next((path for path in _candidates(chromium) if _starts(chromium, path)), None)


def _checked(chromium: BrowserType, named: str) -> str:
    if not Path(named).is_file():
        raise NoBrowser(
            f"CHROMIUM is set to {named}, which does not exist: correct it or unset it."
        )
    if not _starts(chromium, named):
        raise NoBrowser(
            f"CHROMIUM is set to {named}, which does not start: correct it or unset it."
        )
    return named


def _candidates(chromium: BrowserType) -> Iterator[str]:
    yield from filter(None, map(shutil.which, COMMANDS))
    yield from filter(os.path.exists, (*MAC_APPLICATIONS, chromium.executable_path))


def _starts(chromium: BrowserType, path: str) -> bool:
    try:
        _open_a_page(chromium.launch(executable_path=path, args=LAUNCH_ARGS))
    except Error:
        return False
    return True


def _open_a_page(browser: Browser) -> None:
    with browser:
        browser.new_page().goto("about:blank")


def _distribution() -> set[str]:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return set()
    return {release["ID"], *release.get("ID_LIKE", "").split()}


def _as_root() -> Command | None:
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    return sudo if shutil.which("sudo") and _succeeds([*sudo, "true"]) else None


def _succeeds(command: Command) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0
