"""Attacks by the owner's logo file: its content is checked, and it runs nothing in a browser."""

import os
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext

from streamchat.logo import MOST_BYTES, MOST_PIXELS, PNG, checked
from streamchat.server import create
from streamchat.settings import Settings, SettingsError

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}<rect width="9" height="9"/></svg>'
)
SCRIPTS = """<script>top.ran = 1; document.title = "ran"</script>
<image href="x:" onerror="top.ran = 1"/><a href="javascript:top.ran=1"><text>x</text></a>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="/docs"/></foreignObject>"""
BOMB = '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + SVG.format(
    "<text>&b;</text>"
)


def png(width: int, height: int = 8) -> bytes:
    written = BytesIO()
    Image.new("RGB", (width, height), "#0f766e").save(written, "PNG")
    return written.getvalue()


def header(side: int) -> bytes:
    """The first bytes of a PNG of this size."""
    size = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", size) + chunk(b"IDAT", b"x")


def chunk(kind: bytes, content: bytes) -> bytes:
    sums = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + sums


FILES = {
    "huge": (SVG.format(f"<!--{'x' * MOST_BYTES}-->").encode(), "256 kB at most"),
    "wide": (png(MOST_PIXELS + 1), "2048 pixels a side at most"),
    "enormous": (header(100_000), "2048 pixels"),
    "half": (png(800, 800)[:900], "a whole PNG"),
    "head only": (png(8)[:8], "a whole PNG"),
    "web page": (b"<html xmlns='http://www.w3.org/1999/xhtml'><svg/></html>", "an SVG or a PNG"),
    "SVG without its name": (b"<svg><rect/></svg>", "an SVG or a PNG"),
    "not well formed": (SVG.format("<g>").encode(), "an SVG or a PNG"),
    "empty": (b"", "an SVG or a PNG"),
    "text": (b"root:x:0:0:root:/root:/bin/bash", "an SVG or a PNG"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(99), "an SVG or a PNG"),
    "entities": (BOMB.encode(), "without entities"),
}


def refusal(monkeypatch: pytest.MonkeyPatch, path: Path | str) -> str:
    monkeypatch.setenv("STREAMCHAT_LOGO", str(path))
    with pytest.raises(SettingsError) as caught:
        Settings.read()
    return str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_logo_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """A file is checked by its content, not its name, and the owner reads what a logo should be."""
    content, reason = FILES[name]
    (tmp_path / "logo.svg").write_bytes(content)
    said = refusal(monkeypatch, tmp_path / "logo.svg")
    assert said.startswith("STREAMCHAT_LOGO is ")
    assert reason in said
    assert "root:x" not in said


def test_a_path_that_is_no_file_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A device, a pipe and a missing file are refused without being read."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "secrets").symlink_to("/etc/passwd")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        assert "it should be a file." in refusal(monkeypatch, path)
    for path in (tmp_path / "missing", tmp_path / "loop", "~nobody-of-this-name/x"):
        assert "it should be a file that can be read." in refusal(monkeypatch, path)
    assert "an SVG or a PNG" in refusal(monkeypatch, tmp_path / "secrets")
    assert "an SVG or a PNG" in refusal(monkeypatch, "../../../../../etc/passwd")


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    path = tmp_path / "logo.svg"
    path.write_text(SVG.format(SCRIPTS))
    return path


@pytest.fixture
def url(logo: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A chat whose logo has scripts."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    settings = Settings(data_dir="", logo=str(logo))
    with create(settings).launch() as running:
        yield running.url


def test_a_logo_is_the_one_of_the_start(url: str, logo: Path) -> None:
    """A file that replaces the logo after the start is not served, and no address names another
    file."""
    logo.unlink()
    logo.symlink_to("/etc/passwd")
    answer = httpx.get(f"{url}logo")
    assert answer.text == SVG.format(SCRIPTS)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert httpx.get(f"{url}favicon.ico").content == answer.content
    for path in ("logo/../../etc/passwd", "logo%2f..%2fx", "logo.svg", "logo/x", "touch-icon.png"):
        assert httpx.get(f"{url}{path}").status_code == 404
    assert httpx.get(f"{url}logo?path=/etc/passwd").content == answer.content


@pytest.mark.process
def test_a_script_in_a_logo_never_runs(url: str, context: BrowserContext) -> None:
    """A script in an SVG runs neither on the page nor when the file is opened by itself."""
    for path in ("docs", "logo", "favicon.ico"):
        tab = context.new_page()
        tab.goto(f"{url}{path}")
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("typeof ran") == "undefined"
        assert tab.title() != "ran"
    tab = context.new_page()
    tab.goto(f"{url}docs")
    assert tab.locator(".home img").evaluate("image => image.decode().then(() => true)")
    policy = httpx.get(f"{url}logo").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("sandbox")


def test_a_png_is_on_the_card_and_on_phones() -> None:
    """A PNG is served unchanged, and is on the preview card and the touch icon."""
    logo = checked(png(300, 100))
    assert (logo.kind, logo.content) == ("image/png", png(300, 100))
    with create(Settings(data_dir="", logo=logo)).launch() as running:
        assert httpx.get(f"{running.url}logo").content == png(300, 100)
        for path, size in (("touch-icon.png", (180, 180)), ("preview.png", (1200, 630))):
            answer = httpx.get(f"{running.url}{path}")
            picture = Image.open(BytesIO(answer.content))
            assert (answer.headers["content-type"], picture.size) == ("image/png", size)
            assert (15, 118, 110) in {colour for _, colour in picture.getcolors(2**20) or ()}
