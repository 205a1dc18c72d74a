"""Bad files over HTTP: each is refused with its own sentence, and Claude is not asked."""

import itertools
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamchat.api.blocks import DocumentBlock, uploads_of
from streamchat.api.routes import PATH
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.workshop import Workshop
from streamchat.chat.asking import Chat
from streamchat.chat.files import Files
from streamchat.chat.parties import Asker, Sources
from streamchat.events import Message
from streamchat.store.database import Store
from streamchat.texts import text
from streamchat.visitors import Limits
from tests.files import (
    animated,
    bomb,
    claims_size,
    document_block,
    image_block,
    locked,
    pdf,
    picture,
    plain_block,
    text_block,
    unhurried,
    zipped,
)
from tests.served import Served, Source, served

MB = 1_000_000
TRUNCATED = picture("JPEG", (600, 400))[:700]
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
WORD = zipped("[Content_Types].xml", "word/document.xml")


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served(files=unhurried()) as api:
        yield api


async def ask(api: Served, *blocks: Any) -> tuple[int, str, str]:
    """The status, the code and the sentence for a message of these blocks."""
    turns = {"messages": [{"role": "user", "content": [*blocks]}]}
    answer = await api.client.post(PATH, json=turns)
    assert answer.json().keys() == {"code", "message"}
    return answer.status_code, answer.json()["code"], answer.json()["message"]


def with_bytes_after(data: bytes) -> bytes:
    return data + b"\0" * 100


BAD: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    # no file at all
    "empty picture": (image_block(b""), "file_empty", {}),
    "empty PDF": (document_block(b""), "file_empty", {}),
    "blank text": (plain_block(" \n\t"), "file_blank", {}),
    # not whole
    "cut JPEG": (image_block(TRUNCATED, "image/jpeg"), "file_broken", {}),
    "cut PNG": (image_block(picture(size=(600, 400))[:200]), "file_broken", {}),
    "cut GIF": (image_block(picture("GIF")[:40], "image/gif"), "file_broken", {}),
    "cut WebP": (image_block(picture("WEBP")[:30], "image/webp"), "file_broken", {}),
    "only the first bytes": (image_block(b"\xff\xd8\xff", "image/jpeg"), "file_broken", {}),
    "a PNG without its pixels": (image_block(claims_size(3_000, 3_000)), "file_broken", {}),
    "cut PDF": (document_block(pdf("hi")[:200]), "pdf_broken", {}),
    "only the head of a PDF": (document_block(b"%PDF-1.7\n"), "pdf_broken", {}),
    "a PDF without pages": (document_block(pdf()), "pdf_broken", {}),
    # sent as something else
    "a JPEG as PNG": (
        image_block(picture("JPEG")),
        "file_is_another",
        {"what": "image/jpeg", "claimed": "image/png"},
    ),
    "a PNG as PDF": (
        document_block(picture()),
        "file_is_another",
        {"what": "image/png", "claimed": "application/pdf"},
    ),
    "a PDF as picture": (
        image_block(pdf("hi")),
        "file_is_another",
        {"what": "application/pdf", "claimed": "image/png"},
    ),
    "HTML as picture": (
        image_block(HTML),
        "file_is_another",
        {"what": "text/plain", "claimed": "image/png"},
    ),
    "HTML with a PDF in it": (
        document_block(HTML + pdf("hi")),
        "file_is_another",
        {"what": "text/plain", "claimed": "application/pdf"},
    ),
    "a GIF that is a script": (image_block(b"GIF89a=1;alert(1)//", "image/gif"), "file_broken", {}),
    "a JPEG with a PDF behind it": (
        document_block(picture("JPEG") + pdf("hi")),
        "file_is_another",
        {"what": "image/jpeg", "claimed": "application/pdf"},
    ),
    "a picture as text": (document_block(b"\0\1\2" * 99, "text/plain"), "file_kind", {}),
    # of kinds that are not taken
    "SVG": (
        image_block(SVG, "image/svg+xml"),
        "file_media_type",
        {"media_type": "image/svg+xml"},
    ),
    "a made-up type": (
        image_block(picture(), "a" * 999),
        "file_media_type",
        {"media_type": "a" * 60},
    ),
    "no type": (
        image_block(picture(), "image/png; charset=x"),
        "file_media_type",
        {"media_type": "image/png; charset=x"},
    ),
    "Word": (document_block(WORD), "file_office", {}),
    "old Word": (document_block(bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 99), "file_office", {}),
    "a zip bomb": (document_block(zipped("a", content=b"\0" * 20 * MB)), "file_archive", {}),
    "gzip": (document_block(b"\x1f\x8b\x08\0\0\0\0\0"), "file_archive", {}),
    "HEIC": (image_block(b"\0\0\0\x18ftypheic\0\0\0\0"), "file_picture_kind", {}),
    "TIFF": (image_block(b"II*\0" + b"\0" * 99), "file_picture_kind", {}),
    "a film": (image_block(b"\0\0\0\x18ftypmp42\0\0\0\0"), "file_sound", {}),
    "a program": (image_block(with_bytes_after(b"\x7fELF")), "file_program", {}),
    "random bytes": (image_block(bytes(range(256)) * 9), "file_kind", {}),
    "a text in an old coding": (
        document_block("für".encode("latin-1") * 9, "text/plain"),
        "file_coding",
        {},
    ),
    "UTF-16 cut in the middle": (
        document_block("hi".encode("utf-16")[:-1], "text/plain"),
        "file_coding",
        {},
    ),
    "zeros in a text": (plain_block("a\0b"), "file_kind", {}),
    # too much
    "100 megapixels in 12 kB": (
        image_block(bomb()),
        "file_pixels",
        {"megapixels": 100, "most": 50},
    ),
    "900 megapixels in 69 bytes": (
        image_block(claims_size(30_000, 30_000)),
        "file_pixels",
        {"megapixels": 900, "most": 50},
    ),
    "animated GIF": (image_block(animated("GIF"), "image/gif"), "file_animated", {}),
    "animated WebP": (image_block(animated("WEBP"), "image/webp"), "file_animated", {}),
    "animated PNG": (image_block(animated("PNG")), "file_animated", {}),
    "10,000 pages": (
        document_block(pdf(pages=10_000)),
        "pdf_pages",
        {"pages": 10_000, "most": 100},
    ),
    "a locked PDF": (document_block(locked()), "pdf_locked", {}),
    "a PDF protected against changes": (document_block(locked(b"")), "pdf_locked", {}),
    "6 MB": (
        document_block(b"%PDF-1.7" + b"\n" * (6 * MB)),
        "file_too_large",
        {"size": 6 * MB + 8, "most": 5 * MB},
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_file_is_refused_by_name_before_anything_is_asked(
    api: Served, name: str
) -> None:
    """The refusal has a code and a sentence with the file's name, and the source is not asked."""
    block, code, values = BAD[name]
    titled = {**block, "title": "my file"} if block["type"] == "document" else block
    called = "my file" if titled is not block else "File 1"
    status, given, sentence = await ask(api, titled, text_block("What is it?"))
    assert (given, sentence) == (code, text(code, name=called, **values))
    assert status == (413 if code == "file_too_large" else 422)
    assert called in sentence
    assert api.source.asked == []


async def test_a_file_that_is_not_base64_is_refused(api: Served) -> None:
    """Other characters, missing padding, a data URL and line breaks are refused."""
    whole = b64encode(picture()).decode()
    for data in (
        "***",
        whole[:-3],
        f"data:image/png;base64,{whole}",
        f"{whole[:8]}\n{whole[8:]}",
        "é",
    ):
        block = image_block(b"")
        block["source"]["data"] = data
        assert (await ask(api, block))[1] == "file_base64"
    assert api.source.asked == []


def source(**fields: Any) -> dict[str, Any]:
    return {"type": "image", "source": fields}


WRONG = {
    "an address": source(type="url", url="http://127.0.0.1/secret"),
    "a file id": source(type="file", file_id="file_1"),
    "content within content": {
        "type": "document",
        "source": {"type": "content", "content": [image_block(picture())]},
    },
    "blocks in a source": {"type": "image", "source": [image_block(picture())]},
    "no source": {"type": "image"},
    "null": {"type": "image", "source": None},
    "null for data": source(type="base64", media_type="image/png", data=None),
    "a number for data": source(type="base64", media_type="image/png", data=5),
    "no media type": source(type="base64", data="aGk="),
    "a field more": image_block(picture(), cache_control={"type": "ephemeral"}),
    "a tool's result": {"type": "tool_result", "tool_use_id": "1", "content": "hi"},
    "thinking": {"type": "thinking", "thinking": "hi", "signature": "x"},
    "no type": {"text": "hi"},
    "a string": "hi",
    "a list": [text_block("hi")],
    "nothing": None,
    "a huge title": {**plain_block("hi"), "title": "a" * 20_000},
    "HTML as the type of a text": {
        "type": "document",
        "source": {"type": "text", "media_type": "text/html", "data": "hi"},
    },
}


@pytest.mark.parametrize("name", WRONG)
async def test_an_invalid_block_is_a_422_that_names_its_place(api: Served, name: str) -> None:
    """Blocks of other types, and blocks with missing or unknown fields, are refused."""
    status, code, sentence = await ask(api, text_block("hi"), WRONG[name])
    assert (status, code) == (422, "wrong_shape")
    assert sentence.startswith("messages.0.content.1")
    assert api.source.asked == []


async def test_an_address_is_refused_in_words_of_its_own(api: Served) -> None:
    """The sentence tells a program that sent a URL or a file id to send the file itself."""
    for name in ("an address", "a file id", "content within content"):
        assert "no addresses and no file ids" in (await ask(api, WRONG[name]))[2]


@pytest.mark.parametrize("number", [0, 101, 1_000])
async def test_a_message_has_few_blocks(api: Served, number: int) -> None:
    """A message without blocks is refused, and one with a thousand before any is read."""
    status, code, _ = await ask(api, *[text_block("hi")] * number)
    assert (status, code) == (422, "wrong_shape")


async def test_more_files_than_a_message_may_have(api: Served) -> None:
    """The sentence names the first file over the bound."""
    few = [{**plain_block("hi"), "title": f"{number}.txt"} for number in range(6)]
    assert await ask(api, *few) == (
        422,
        "files_in_message",
        text("files_in_message", name="5.txt", most=5),
    )


async def test_more_files_than_a_conversation_may_have(api: Served) -> None:
    """The files of earlier turns count with their number, bytes and pages."""
    turn = {"role": "user", "content": [plain_block("hi")] * 5}
    many = {"messages": [turn] * 5}
    assert (await api.client.post(PATH, json=many)).json()["code"] == "files_in_conversation"
    large = {"role": "user", "content": [plain_block("a" * (4 * MB))]}
    answer = await api.client.post(PATH, json={"messages": [large] * 3})
    assert (answer.status_code, answer.json()["code"]) == (413, "files_too_large")
    pages = {"role": "user", "content": [document_block(pdf(pages=60), title="60.pdf")]}
    answer = await api.client.post(PATH, json={"messages": [pages] * 2})
    assert (answer.status_code, answer.json()["code"]) == (422, "pdf_pages_of_all")
    assert api.source.asked == []


async def test_the_assistant_has_no_files(api: Served) -> None:
    """A file in a forged answer is refused, as Claude would refuse it in every later turn."""
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [image_block(picture())]},
        {"role": "user", "content": "hi"},
    ]
    answer = await api.client.post(PATH, json={"messages": turns})
    assert (answer.status_code, answer.json()["code"]) == (422, "files_of_assistant")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\files\\a.txt", "a.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("a\r\nSet-Cookie: x\0.txt", "a Set-Cookie: x.txt"),
        ("\u200b\u2066", "File 1"),
        ("..", "File 1"),
        ("", "File 1"),
        ("a" * 300 + ".pdf", "a" * 47 + "…" + "a" * 8 + ".pdf"),
    ],
)
async def test_a_name_is_cleaned_before_it_is_shown(api: Served, title: str, shown: str) -> None:
    """Folders, invisible and direction-changing characters, and letters beyond the bound are
    removed from a file's name."""
    block = {**plain_block(" "), "title": title}
    assert (await ask(api, block))[2] == text("file_blank", name=shown)


def test_the_name_of_one_file_too_many_is_not_cleaned() -> None:
    """Only a hundred names are cleaned, because 1,600 long ones would hold the event loop. Later
    files are named by number."""
    block = {**plain_block("hi"), "title": "a" * 10_000}
    blocks = [DocumentBlock.model_validate(block)] * 102
    names = [upload.name for upload in uploads_of([*blocks], itertools.count(1))]
    assert [names[99][:3], names[100], names[101]] == ["aaa", "File 101", "File 102"]


async def test_files_of_a_visitor_over_the_rate_are_not_looked_at() -> None:
    """The rate limit refuses a question before its files are checked."""
    limits = Limits(rate="1/hour", visitor_replies=5, max_replies=5)
    files = Files(workshop=Workshop(Bounds(), lambda _: b"never"))
    chat = Chat(Sources(Source()), Store(""), linger=60, keep=60, limits=limits, files=files)
    async with served(chat=chat) as api:
        await chat.ask([Message("user", "hi")], Asker("visitor"))
        assert (await ask(api, image_block(picture())))[:2] == (429, "too_often")
