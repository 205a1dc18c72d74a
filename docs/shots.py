"""Pictures of every state of the pages: `python -m docs.pictures states [folder] [name...]`.

One picture for each state, width and theme, and one sheet for each state that shows them side by
side, to be looked at. Nothing of it is committed.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import httpx
from PIL import Image
from playwright.sync_api import Browser, Error, ViewportSize, sync_playwright
from playwright.sync_api import Page as Tab

from docs import panels
from docs.states import ANSWER, CHATS, PASSWORD, STATES, open_sidebar
from streamchat.server import create
from streamchat.settings import Settings
from streamchat.system import qrcode
from tests import browser
from tests.page import Page
from tests.scripted_claude import ScriptedClaude, refuses, says

# what has a mouse, and what has a finger: width and height
DEVICES = [((1280, 800), (768, 1024)), ((390, 844), (360, 640))]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# states whose pictures are as long as their page, and those whose sidebar is opened again where it
# has become a sheet
WHOLE = {"docs", "owner", "owner-figures", "shared", "sources-shared"}
BESIDE = {"search", "sidebar"}
QR_CODE = "http://192.168.1.20:7860/"
# of Claude, for the chats in which more happens than an answer
SCRIPTS = {
    "broke": [refuses(402, "billing_error")],
    "busy": [refuses(413, "request_too_large"), says(ANSWER)],
}
GAP = 24
SHEET = 2400


@contextmanager
def served(kind: str) -> Iterator[str]:
    """The address of a chat of this kind, with a scripted Claude behind all but the demo."""
    with ScriptedClaude() as claude, TemporaryDirectory() as folder:
        claude.play(*SCRIPTS.get(kind, [says(ANSWER)]))
        # without the limits of the machine's own visitors, who are not limited
        given = {"rate_limit": "off", **CHATS[kind]}
        paid = {} if kind == "demo" else {"ANTHROPIC_API_KEY": "sk-x"}
        settings = Settings(
            data_dir=folder,
            owner_password=PASSWORD,
            ANTHROPIC_BASE_URL=claude.url,
            **paid,  # type: ignore[arg-type]
            **given,  # type: ignore[arg-type]
        )
        with create(settings).launch() as running:
            if kind == "paused":
                httpx.put(f"{running.url}owner/pause", auth=("eva", PASSWORD)).raise_for_status()
            yield running.url


def take(chromium: Browser, url: str, name: str, folder: Path) -> Iterator[Path]:
    """Takes a state in all sizes and themes. Names a state that cannot be reached."""
    for number, sizes in enumerate(DEVICES):
        with chromium.new_context(
            viewport=size_of(*sizes[0]),
            http_credentials={"username": "eva", "password": PASSWORD},
            has_touch=number == 1,
        ) as context:
            context.set_default_timeout(20_000)
            try:
                page = Page(context, url, ready=name != "login")
                STATES[name][1](page, url)
                yield from shots(page.browser, sizes, name, folder)
            except (Error, AssertionError) as error:
                tell(f"{name}: {str(error).splitlines()[0]}")


def shots(tab: Tab, sizes: Sequence[tuple[int, int]], name: str, folder: Path) -> Iterator[Path]:
    for width, height in sizes:
        tab.set_viewport_size(size_of(width, height))
        if name in BESIDE:
            open_sidebar(tab)
        for theme in THEMES:
            tab.emulate_media(color_scheme=theme)
            tab.wait_for_timeout(400)
            path = folder / f"{name}-{width}-{theme}.png"
            tab.screenshot(path=path, full_page=name in WHOLE)
            yield path
        if (wide := tab.evaluate("document.documentElement.scrollWidth")) > width:
            tell(f"{name}: {wide} pixels wide at {width}")


def size_of(width: int, height: int) -> ViewportSize:
    return {"width": width, "height": height}


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def sheet(pictures: list[Path], path: Path) -> None:
    """The pictures of one state side by side."""
    images = [Image.open(picture).convert("RGB") for picture in pictures]
    size = sum(image.width + GAP for image in images), max(image.height for image in images)
    whole, left = Image.new("RGB", size, "#777777"), 0
    for image in images:
        whole.paste(image, (left, 0))
        left += image.width + GAP
    whole.thumbnail((SHEET, SHEET))
    whole.save(path)


def make(folder: str = "docs/states", *names: str) -> None:
    """All states, or those of these names."""
    goal = Path(folder)
    goal.mkdir(parents=True, exist_ok=True)
    (goal / "qr-code.txt").write_text(qrcode.drawn(QR_CODE, 80, "utf-8"), "utf-8")
    wanted = {name: STATES[name][0] for name in names or panels.ALL}
    with sync_playwright() as playwright:
        path = browser.find() or browser.install()
        chromium = playwright.chromium.launch(executable_path=path, args=browser.LAUNCH_ARGS)
        for kind in dict.fromkeys(wanted.values()):
            with served(kind) as url:
                for name in (name for name, its in wanted.items() if its == kind):
                    if taken := list(take(chromium, url, name, goal)):
                        sheet(taken, goal / f"sheet-{name}.png")
