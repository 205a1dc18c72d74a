"""Makes the pictures of the README from the running demo: `python -m docs.pictures`. Needs
tests/requirements.txt. `python -m docs.pictures states` makes pictures of every state."""

import os
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from docs import shots
from streamchat.server import create
from streamchat.settings import Settings
from streamchat.system import environment
from tests import browser
from tests.page import Page

IMAGES = Path(__file__).parent / "images"
DESKTOP, PHONE = (1280, 800), (390, 780)
LONG = "Write me 2,000 words about rivers"
# conversations in the sidebar
EARLIER = (
    "Plan three days in Lisbon with two children and no car",
    "Write a Python script that finds duplicate files in a folder",
)
SECONDS = 10.0  # of the recording
STOP_AFTER = 6.5
COLOURS = 64

Frame = tuple[float, Image.Image]


def main() -> None:
    without_keys()
    IMAGES.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        create(Settings.read().model_copy(update={"data_dir": folder})).launch() as running,
        sync_playwright() as playwright,
    ):
        path = browser.find() or browser.install()
        chromium = playwright.chromium.launch(executable_path=path, args=browser.LAUNCH_ARGS)
        still(chromium, running.url, "page", DESKTOP, "light")
        still(chromium, running.url, "dark", DESKTOP, "dark")
        still(chromium, running.url, "phone", PHONE, "light")
        record(chromium, running.url)


def without_keys() -> None:
    """The environment of the demo, whoever makes the pictures."""
    environment.set_defaults()
    for variable in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        os.environ.pop(variable, None)


def still(chromium: Browser, url: str, name: str, size: tuple[int, int], scheme: str) -> None:
    """The page while the demo writes a long answer, after some conversations."""
    page = opened(chromium, url, size, scheme)
    for question in EARLIER:
        page.ask(question)
        page.shows("Demo")  # its receipt
        page.ready()
        page.browser.get_by_role("button", name="New chat").click()
        page.browser.locator(".placeholder-content").wait_for()
    page.ask("Think it through: why is the sky blue?")
    page.ready()
    page.ask(LONG)
    page.answers.last.get_by_text("river").first.wait_for()
    time.sleep(1)
    page.browser.screenshot(path=IMAGES / f"{name}.png")
    page.browser.context.close()


def record(chromium: Browser, url: str) -> None:
    """Ten seconds of an answer that streams and is stopped."""
    page = opened(chromium, url, (820, 560), "light")
    page.ready()
    page.box.fill(LONG)
    frames = list(filmed(page))
    page.browser.context.close()
    pictures = [picture.quantize(COLOURS) for _, picture in frames]
    times = [at for at, _ in frames] + [SECONDS]
    durations = [round(1000 * (after - before)) for before, after in pairwise(times)]
    pictures[0].save(
        IMAGES / "stream.gif",
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        optimize=True,
    )


def filmed(page: Page) -> Iterator[Frame]:
    """Each frame with the second at which it was taken."""
    began, asked, stopped = time.monotonic(), False, False
    while (at := time.monotonic() - began) < SECONDS:
        yield at, shot(page)
        if not asked and at > 0.8:
            page.box.press("Enter")
            asked = True
        elif not stopped and at > STOP_AFTER:
            page.browser.keyboard.press("Escape")
            stopped = True


def shot(page: Page) -> Image.Image:
    return Image.open(BytesIO(page.browser.screenshot())).convert("RGB")


def opened(chromium: Browser, url: str, size: tuple[int, int], scheme: str) -> Page:
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    return Page(context, url)


if __name__ == "__main__":
    if sys.argv[1:2] == ["states"]:
        without_keys()
        shots.make(*sys.argv[2:])
    else:
        main()
