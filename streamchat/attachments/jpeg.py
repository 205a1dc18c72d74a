"""Recognises a JPEG that this chat has made.

It is kept as it is: encoded once more it would lose quality, and an imported conversation would not
be equal to the one that was exported.
"""

import struct
from collections.abc import Iterator

START, END = b"\xff\xd8", b"\xff\xd9"
JFIF, TABLES, FRAME, CODES, SCAN = 0xE0, 0xDB, 0xC0, 0xC4, 0xDA
# bytes of the segment without a small picture in it
BARE_JFIF = 16


def is_bare(data: bytes) -> bool:
    """Whether the JPEG has a picture and nothing else: no notes, no further picture, and nothing
    behind its end."""
    segments = list(_segments(data))
    kinds = [kind for kind, _ in segments]
    if kinds[:1] != [JFIF] or kinds[-1] != SCAN or kinds.count(FRAME) != 1:
        return False
    known = set(kinds[1:-1]) <= {TABLES, FRAME, CODES}
    # in the picture itself, such bytes are followed by a zero
    return known and segments[0][1] == BARE_JFIF and data.find(END) == len(data) - len(END)


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The kind and the length of each segment, up to the first one with a picture's lines."""
    at, kind = len(START), 0
    while kind != SCAN and at + 4 <= len(data):
        mark, kind, length = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF:
            return
        yield kind, length
        at += 2 + length
