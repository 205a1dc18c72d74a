"""Good files: the form in which Claude gets them, and their tokens."""

import asyncio
import base64
import io
import subprocess
import sys
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from streamchat.attachments.attachment import Attachment, Upload
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.checking import checked
from streamchat.attachments.pictures import LONGEST_SIDE, MOST_TOKENS, fitting, tokens
from streamchat.attachments.workshop import Processes, Workshop
from streamchat.errors import Crowded, FileRefused
from tests.files import claims_size, pdf, picture, saved

RED = (210, 40, 40)


def attached(data: bytes, name: str = "file") -> Attachment:
    return checked([Upload(name, base64.b64encode(data).decode())], Bounds())[0]


def opened(file: Attachment) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(file.data)))


def photo() -> bytes:
    """Held on its side: the left half is red, the right one blue."""
    image = Image.new("RGB", (80, 40), RED)
    image.paste((50, 90, 200), (40, 0, 80, 40))
    notes = Image.Exif()
    notes[0x0112], notes[0x010F] = 6, "the secret camera"
    notes.get_ifd(0x8825)[1] = "N"
    return saved(image, "JPEG", exif=notes, comment=b"the secret comment", quality=95)


def test_a_photo_is_turned_upright_and_loses_its_notes() -> None:
    """The orientation is applied, and the metadata, such as the place, is dropped."""
    file = attached(photo())
    image = opened(file)
    data = base64.b64decode(file.data)
    assert (image.size, file.width, file.height) == ((40, 80), 40, 80)
    red, _, blue = image.getpixel((20, 10))  # type: ignore[misc]
    assert red > 150 > blue
    assert dict(image.getexif()) == {}
    assert b"secret" not in data
    assert b"Exif" not in data


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_pictures_are_turned_upright_too(kind: str) -> None:
    """The orientation of a picture counts in every format that has one."""
    notes = Image.Exif()
    notes[0x0112] = 6
    assert opened(attached(picture(kind, exif=notes))).size == (40, 60)


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("GIF", "image/png"), ("WEBP", "image/png")],
)
def test_each_kind_of_picture_is_sent_in_one_that_claude_takes(kind: str, sent: str) -> None:
    """A picture is written anew, without the bytes that hide behind it."""
    file = attached(picture(kind) + b"<script>alert(1)</script>")
    assert (file.media_type, Image.MIME[str(opened(file).format)]) == (sent, sent)
    assert b"script" not in base64.b64decode(file.data)
    assert (file.colours, file.tokens) == (("red",), tokens(60, 40))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "CMYK", "F"])
def test_every_kind_of_colour_is_taken(mode: str) -> None:
    """Grey, palettes, transparency, sixteen bits and the colours of printers all come through."""
    kind = {"CMYK": "JPEG", "F": "PNG", "PA": "PNG"}.get(mode, "PNG")
    image = Image.new("L" if mode == "F" else "LA" if mode == "PA" else mode, (50, 30))
    assert opened(attached(saved(image, kind))).size == (50, 30)


def test_sixteen_bits_of_grey_stay_grey() -> None:
    """A scan or an X-ray is not bleached."""
    image = Image.new("I;16", (30, 30), 0x8000)
    assert opened(attached(saved(image, "PNG"))).convert("L").getpixel((5, 5)) == 0x80


def test_a_transparent_picture_stays_so() -> None:
    """A drawing on nothing is not put on black."""
    image = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
    assert opened(attached(saved(image, "PNG"))).getpixel((5, 5)) == (0, 0, 0, 0)


def test_a_large_picture_of_noise_is_sent_as_jpeg() -> None:
    """Claude takes ten megabytes of base64; a photo as PNG would soon have more."""
    noise = Image.effect_noise((1_500, 1_500), 90).convert("RGBA")
    file = attached(saved(noise, "PNG", compress_level=1))
    assert file.media_type == "image/jpeg"
    assert len(file.data) < 3_000_000


def test_the_same_picture_is_sent_as_the_same_bytes() -> None:
    """Claude's prompt cache finds it again in the next turn."""
    assert attached(photo()) == attached(photo())


@pytest.mark.parametrize(
    ("size", "count"),
    [((1_000, 1_000), 1_296), ((1_920, 1_080), 2_691), ((2_000, 1_500), 3_888), ((1, 1), 1)],
)
def test_tokens_of_pictures_are_those_of_claudes_table(size: tuple[int, int], count: int) -> None:
    """Pictures within the bounds are sent in their size, and each square of 28 pixels counts."""
    assert fitting(*size) == size
    assert tokens(*size) == count


@given(st.integers(1, 60_000), st.integers(1, 60_000))
def test_no_picture_is_larger_than_the_models_see(width: int, height: int) -> None:
    """A picture of any shape is scaled to fit both bounds, and no smaller than needed."""
    fitted = fitting(width, height)
    assert tokens(*fitted) <= MOST_TOKENS
    assert max(fitted) <= LONGEST_SIDE
    assert min(fitted) >= 1
    enough = max(fitted) > 0.97 * LONGEST_SIDE or tokens(*fitted) > 0.93 * MOST_TOKENS
    assert enough or fitted == (width, height)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_is_read_in_its_coding(coding: str) -> None:
    """Code and texts of Windows come through; a token is at least a byte."""
    file = attached("print('für') # 漢字\n".encode(coding), "a.py")
    assert (file.data, file.media_type) == ("print('für') # 漢字\n", "text/plain")
    assert file.tokens == len(file.data.encode())
    assert file.opening == "print('für') # 漢字"


@pytest.mark.parametrize("data", [photo(), picture("WEBP"), b"a = 1\n", pdf("Rivers")])
def test_a_checked_file_is_not_changed_by_a_further_check(data: bytes) -> None:
    """So that an import gives back what was exported, however often."""
    once = attached(data)
    is_text = once.media_type == "text/plain"
    again = once.data.encode() if is_text else base64.b64decode(once.data)
    assert attached(again).digest == once.digest


@pytest.mark.parametrize(
    "options", [{"comment": b"secret"}, {"exif": b"Exif\0\0secret"}, {"progressive": True}]
)
def test_a_jpeg_that_is_like_our_own_brings_nothing_along(options: dict[str, Any]) -> None:
    """Notes before the picture, and anything behind its end, are dropped."""
    data = picture("JPEG", quality=90, **options) + b"secret"
    assert b"secret" in data
    assert b"secret" not in base64.b64decode(attached(data).data)


def test_a_pdf_is_sent_as_it_is_and_bounded_by_its_pages_and_its_text() -> None:
    """Claude sees a picture of each page and reads its text: pages and bytes are the bound."""
    data = pdf("Rivers " * 100, "Second page")
    file = attached(data)
    assert base64.b64decode(file.data) == data
    assert (file.pages, file.media_type) == (2, "application/pdf")
    assert file.opening.startswith("Rivers Rivers")
    assert 2 * MOST_TOKENS + 700 <= file.tokens <= 2 * MOST_TOKENS + 800


@pytest.mark.parametrize(
    "begin", [b"20 5000 Td", b"-900 -900 Td", b"3 Tr 20 780 Td", b"/F 0.001 Tf 20 780 Td"]
)
def test_text_of_a_pdf_that_nobody_sees_counts(begin: bytes) -> None:
    """Outside the page, invisible or tiny: Claude may read it, and count it."""
    words = "Rivers run to the sea. " * 40
    assert attached(pdf(words, begin=begin)).tokens >= MOST_TOKENS + len(words)


def uploads(*files: bytes) -> list[Upload]:
    return [
        Upload(f"{number}", base64.b64encode(data).decode()) for number, data in enumerate(files)
    ]


@pytest.mark.process
async def test_files_are_checked_in_a_process_without_the_owners_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process gives the same answer as the check itself, and its environment has no secret."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret")
    workshop = Workshop(Bounds())
    given = uploads(picture(), pdf("hi"), b"text")
    assert await workshop.check(given, "a") == checked(given, Bounds())
    show = "import os, sys; sys.stdout.write(repr(dict(os.environ)))"
    assert b"secret" not in Processes([sys.executable, "-c", show])(b"")


@pytest.mark.process
async def test_a_refusal_comes_out_of_the_process() -> None:
    """Code and values are those of the check."""
    with pytest.raises(FileRefused) as refused:
        await Workshop(Bounds()).check(uploads(claims_size(30_000, 30_000)), "a")
    assert (refused.value.code, refused.value.values["megapixels"]) == ("file_pixels", 900)


@pytest.mark.process
@pytest.mark.parametrize(
    "does",
    [
        "while True: pass",
        "raise SystemExit(1)",
        "print('junk')",
        "import os; os.kill(os.getpid(), 9)",
    ],
)
async def test_a_process_that_does_not_answer_is_a_refusal(does: str) -> None:
    """A process that crashes or hangs is ended, and the refusal names the file."""
    command = [sys.executable, "-c", does]
    workshop = Workshop(Bounds(), Processes(command, seconds=0.5))
    with pytest.raises(FileRefused) as refused:
        await workshop.check(uploads(b"hi"), "a")
    assert (refused.value.code, refused.value.values) == ("file_took_too_long", {"name": "0"})


async def test_of_one_visitor_one_message_is_checked_at_a_time() -> None:
    """A visitor who sends many files leaves a place for the next one; one whose turn does not come
    is told so."""
    release, both = threading.Event(), asyncio.Event()
    running: list[bytes] = []
    loop = asyncio.get_running_loop()

    def wait(asked: bytes) -> bytes:
        running.append(asked)
        if len(running) == 2:
            loop.call_soon_threadsafe(both.set)
        release.wait(10)
        return b'{"refused": "file_empty", "values": {"name": "x"}}'

    workshop = Workshop(Bounds(), wait, patience=0.05)
    first = asyncio.create_task(workshop.check(uploads(b"a"), "greedy"))
    await asyncio.sleep(0)
    with pytest.raises(Crowded):
        await workshop.check(uploads(b"b"), "greedy")
    other = asyncio.create_task(workshop.check(uploads(b"c"), "other"))
    await both.wait()
    release.set()
    results = await asyncio.gather(first, other, return_exceptions=True)
    assert [type(each) for each in results] == [FileRefused] * 2
    assert len(running) == 2


@pytest.mark.process
async def test_a_chat_that_ends_waits_for_no_file() -> None:
    """A process that still reads one is ended with the chat."""
    processes = Processes([sys.executable, "-c", "import time; time.sleep(60)"])
    answering = asyncio.create_task(asyncio.to_thread(processes, b""))
    while not answering.done():
        processes.close()
        await asyncio.sleep(0)
    with pytest.raises(subprocess.CalledProcessError):
        await answering
