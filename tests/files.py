"""Files made by a few lines each: pictures, PDFs and what pretends to be one."""

import hashlib
import io
import struct
import zipfile
import zlib
from base64 import b64encode
from typing import Any

from PIL import Image

from streamchat.attachments.bounds import Bounds
from streamchat.attachments.worker import answered
from streamchat.attachments.workshop import Workshop
from streamchat.chat.files import USUAL, Files

PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    """A red picture."""
    return saved(Image.new("RGB", size, (210, 40, 40)), kind, **options)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 90, 180)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)


def claims_size(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims so many pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            *map(chunk, (head, b"IDAT" + zlib.compress(b"\0" * 100), b"IEND")),
        )
    )


def chunk(typed: bytes) -> bytes:
    return struct.pack(">I", len(typed) - 4) + typed + struct.pack(">I", zlib.crc32(typed))


def bomb() -> bytes:
    """A hundred megapixels in some 12 kB, all of which are there."""
    return saved(Image.new("1", (10_000, 10_000)), "PNG")


def pdf(*texts: str, encrypt: bytes = b"", pages: int = 0, begin: bytes = b"20 780 Td") -> bytes:
    """A PDF with a page for each text, or with so many empty `pages`. `encrypt` is the entry of the
    trailer, and of the object that it names; a page's text begins with the operators `begin`."""
    streams = [_shown(text, begin) for text in texts] or [b""] * pages
    font = 3
    kids = [font + 1 + 2 * number for number in range(len(streams))]
    listed = b" ".join(b"%d 0 R" % kid for kid in kids)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (listed, len(kids)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for kid, stream in zip(kids, streams, strict=True):
        box = b"/MediaBox[0 0 612 792]/Resources<</Font<</F 3 0 R>>>>"
        objects.append(b"<</Type/Page/Parent 2 0 R%s/Contents %d 0 R>>" % (box, kid + 1))
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
    return _assembled(objects, encrypt)


def _shown(text: str, begin: bytes) -> bytes:
    lines = [text[at : at + 80] for at in range(0, len(text), 80)]
    words = b"".join(b"(%s) Tj T* " % line.encode("latin-1") for line in lines)
    return b"BT /F 9 Tf 9 TL %s %s ET" % (begin, words)


def _assembled(objects: list[bytes], encrypt: bytes) -> bytes:
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, encrypt)
    return body + head + table + trailer + b"startxref\n%d\n%%%%EOF" % len(body)


def locked(password: bytes = b"secret") -> bytes:
    """A PDF that opens with a password; with an empty one it is only protected against changes."""
    ident = b"0123456789abcdef"
    owner = _rc4(hashlib.md5(PAD).digest()[:5], (password + PAD)[:32])
    rights = -4
    key = hashlib.md5((password + PAD)[:32] + owner + struct.pack("<i", rights) + ident).digest()
    user = _rc4(key[:5], PAD)
    entry = b"/Filter/Standard/V 1/R 2/O<%s>/U<%s>/P %d"
    values = owner.hex().encode(), user.hex().encode(), rights
    told = b"/ID[<%s><%s>]/Encrypt<<%s>>" % (*[ident.hex().encode()] * 2, entry % values)
    return pdf("Secret words", encrypt=told)


def _rc4(key: bytes, data: bytes) -> bytes:
    state, at = list(range(256)), 0
    for each in range(256):
        at = (at + state[each] + key[each % len(key)]) % 256
        state[each], state[at] = state[at], state[each]
    result, one, other = bytearray(), 0, 0
    for byte in data:
        one = (one + 1) % 256
        other = (other + state[one]) % 256
        state[one], state[other] = state[other], state[one]
        result.append(byte ^ state[(state[one] + state[other]) % 256])
    return bytes(result)


def zipped(*names: str, content: bytes = b"hi") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def image_block(data: bytes, media_type: str = "image/png", **fields: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": media_type, "data": b64encode(data).decode()}
    return {"type": "image", "source": source, **fields}


def document_block(
    data: bytes, media_type: str = "application/pdf", **fields: Any
) -> dict[str, Any]:
    return {**image_block(data, media_type), "type": "document", **fields}


def text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def plain_block(text: str, title: str = "notes.txt") -> dict[str, Any]:
    source = {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "document", "source": source, "title": title}


def unhurried(bounds: Bounds = USUAL) -> Files:
    """Files that are checked in this process, as another one would."""
    return Files(bounds, Workshop(bounds, answered))
