"""Formulas as MathML, in which no TeX can do anything else.

The converter puts a formula's words into elements and attributes as they are, so only known
elements, and attributes with harmless values, are written, and all words as text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

# characters of one formula that is converted, and of all on one page: a hostile one takes 0.1 s
LONGEST, MOST = 1_000, 100_000
# braces and environments in each other, and elements
DEEPEST_TEX, DEEPEST = 20, 80
# of the MathML for a character of TeX; a few signs can make a table
GROWTH = 60

OPENS = re.compile(r"\\[{}]|\\begin\b|\\left\b|[{}]|\\end\b|\\right\b")
UPWARDS = {"{", r"\begin", r"\left"}
DOWNWARDS = {"}", r"\end", r"\right"}
TAGS = re.compile(
    "math|mrow|mi|mn|mo|mtext|mspace|mfrac|msqrt|mroot|msub|msup|msubsup|munder|mover|munderover"
    "|mtable|mtr|mtd|mstyle|mpadded|mphantom|menclose"
)
SWITCH, LENGTH = r"true|false", r"\d(?:\.\d{1,4})?(?:em|ex|pt|px)?"
WORDS = r"(?:[a-z]{1,12} ?){1,20}"
VALUES = {
    "display": r"inline|block",
    "displaystyle|stretchy|fence|separator|accent|accentunder|movablelimits|symmetric": SWITCH,
    "form": r"prefix|infix|postfix",
    "mathvariant": r"[a-z-]{1,30}",
    "scriptlevel": r"[+-]?[0-3]",
    "linethickness|width|lspace|rspace|minsize|maxsize": LENGTH,
    "columnalign|rowlines|columnlines|notation": WORDS,
}
ALLOWED = {name: re.compile(VALUES[names]) for names in VALUES for name in names.split("|")}


class NotDrawn(Exception):
    """A formula that is shown as its source."""


@dataclass
class Room:
    """The characters of TeX that may still be converted on a page."""

    left: int = MOST


def mathml(tex: str, room: Room, *, is_block: bool) -> str | None:
    """The formula as MathML. None if it is too long, too deep or not understood."""
    if len(tex) > min(LONGEST, room.left) or _depth(tex) > DEEPEST_TEX:
        return None
    room.left -= len(tex)
    try:
        root = convert_to_element(tex, display="block" if is_block else "inline")
        return _bounded(_written(root, 0), GROWTH * (len(tex) + 10))
    except Exception:  # noqa: BLE001 (the converter raises many, and each means the same)
        return None


def _depth(tex: str) -> int:
    deepest = depth = 0
    for sign in OPENS.findall(tex):
        depth += (sign in UPWARDS) - (sign in DOWNWARDS)
        deepest = max(deepest, depth)
    return deepest


def _bounded(pieces: Iterator[str], most: int) -> str:
    taken, length = [], 0
    for piece in pieces:
        taken.append(piece)
        length += len(piece)
        if length > most:
            raise NotDrawn
    return "".join(taken)


def _written(element: Element, depth: int) -> Iterator[str]:
    """The element with all below it. Raises `NotDrawn` for an unknown one."""
    if not TAGS.fullmatch(element.tag) or depth > DEEPEST:
        raise NotDrawn
    values = ((name, value) for name, value in element.attrib.items() if _is_allowed(name, value))
    attributes = "".join(f' {name}="{value}"' for name, value in values)
    yield f"<{element.tag}{attributes}>"
    # the converter writes signs as references
    yield escape(unescape(element.text or ""), quote=False)
    for child in element:
        yield from _written(child, depth + 1)
    yield f"</{element.tag}>"


def _is_allowed(name: str, value: str) -> bool:
    return name in ALLOWED and ALLOWED[name].fullmatch(value) is not None
