"""Text as the Markdown that the page draws: in pieces, so that a new word does not redraw a long
answer.

Each addition is invisible or repeats a line, and `written` removes it; ui.js does the same for
copied text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from streamchat.ui.content import INERT, inert, restored
from streamchat.ui.prose import STOP, literal, prose

# characters, from which on a piece ends where a block does
PIECE = 4_000
# from which on it ends at any line that can begin a piece
LONG = 6_000
# a line that is longer is broken
LONGEST = 8_000
# decides where a piece ends: the piece and the line behind it
WINDOW = 2 * LONGEST + 1
# pieces, for all readers
KEPT = 2_000

# in a line that is not of the text: one that opens a piece's code block or table
REPEATED = INERT * 2
# where a line goes on in the next piece
BROKEN = f"{INERT}\n{INERT}"
LINE = re.compile(r"[^\n]*\n|[^\n]+")
FENCE = re.compile(
    r"([ \t]*)((?:(?:[-*+]|\d{1,9}[.)])[ \t]+|>[ \t]*)*)(`{3,}(?=[^`]*$)|~{3,})[ \t]*(\S*)["
    r" \t]*(.*)$",
    re.MULTILINE,
)
# languages whose code may hold code blocks
NESTING = {"markdown", "md", "mdx"}
ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
RULE = re.compile(r"\|(?=[ \t:|]*-)[ \t:|-]*$")
QUOTED = re.compile(r"[ \t]*(?:>[ \t]*)*")
# the beginning of a list or a rule, which Markdown takes for the line under a heading
UNDERLINE = re.compile(r"(?<=[^\n])\n[> \t]*(?=(?:--?|==?)[ \t]*\Z)")


@dataclass(frozen=True)
class Fence:
    """An open code block, and what stands before its lines. `within` counts the open blocks inside
    it."""

    before: str
    marks: str
    language: str
    within: int = 0

    @property
    def depth(self) -> int:
        """The depth of the quotation around the block."""
        return self.before.count(">")

    @property
    def again(self) -> str:
        """The line that opens the block again in the next piece; empty if deep indentation makes
        its lines code anyway."""
        return "" if self.is_indented else f"{self.before}{self.marks}{self.language} {REPEATED}\n"

    @property
    def is_indented(self) -> bool:
        return not self.depth and len(self.before.expandtabs(4)) >= 4

    def is_left_by(self, line: str) -> bool:
        """Whether the line is outside the block's quotation, which ends the block."""
        quoted = QUOTED.match(line) if self.depth else None
        return quoted is not None and quoted[0].count(">") < self.depth

    def may_end_behind(self, items: str) -> bool:
        """Whether a fence after `items` may end the block, and is not a part of its text."""
        return "".join(items.split()) == ">" * self.depth

    def ends(self, marks: str, language: str) -> bool:
        return not language and marks[0] == self.marks[0] and len(marks) >= len(self.marks)

    def begins_another(self, marks: str, language: str) -> bool:
        return bool(language) and self.language.lower() in NESTING and marks[0] == self.marks[0]


@dataclass(frozen=True)
class State:
    """The block that is open at the start of a piece, and the line before it."""

    fence: Fence | None = None
    # of a table: two lines
    header: str = ""
    last: str = "\n"  # line
    # whether the last line without indentation began an item of a list
    item: bool = False
    # whether the line before goes on
    broken: bool = False

    def again(self) -> str:
        """The lines that open the present block again in the next piece."""
        if self.fence:
            return self.fence.again + INERT * self.broken
        return INERT if self.broken else self.header.replace("|", "|" + REPEATED, 1)

    def can_end(self, length: int, following: str) -> bool:
        """Whether a piece of that length may end before the following line."""
        return length >= PIECE and (
            length + len(following) > LONGEST or self._is_apart(length, following)
        )

    def _is_apart(self, length: int, following: str) -> bool:
        if self.fence:
            return not self.fence.is_indented
        return not following[0].isspace() and (length >= LONG or self.last.isspace())


def pieces(text: str) -> list[str]:
    """An answer's Markdown in pieces. While the text grows, only the last piece changes."""
    drawn, at, state = [], 0, State()
    while at < len(text):
        window = text[at : at + WINDOW]
        piece, length, state = (
            _kept_piece(window, state) if len(window) == WINDOW else _piece(window, state)
        )
        drawn.append(piece)
        at += length
    return drawn or [""]


def verbatim(text: str) -> str:
    """A person's text, shown character for character, as a code block that styles make look like a
    message."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    return (
        f"{'`' * max(3, longest + 1)} {REPEATED}\n" + inert(literal(text)) if text.strip() else text
    )


def written(drawn: Sequence[str]) -> str:
    """The original text of these `pieces`, or of `verbatim`."""
    text = re.sub(rf"(?m)^\|{REPEATED}.*\n.*\n|^.*{REPEATED}\n", "", "\n".join(drawn))
    return restored(text.replace(BROKEN, "").replace(STOP, ""))


def _piece(text: str, state: State) -> tuple[str, int, State]:
    """The first piece as it is drawn, its length in the text, and the state after it."""
    after, length = replace(state, broken=False), 0
    # of lines: code, or not
    blocks: list[tuple[bool, list[str]]] = []
    for whole in LINE.findall(text):
        if length and after.can_end(length, whole):
            break
        line = whole[:LONGEST]
        is_code, line_drawn, after = _next(line, after)
        if (
            not blocks
            or blocks[-1][0] != is_code
            or (not is_code and _ends_paragraph(line, blocks[-1][1][-1]))
        ):
            blocks.append((is_code, []))
        blocks[-1][1].append(line_drawn)
        length += len(line)
        if line != whole:
            after = replace(after, broken=True)
            break
    more = length < len(text)
    if more and text[length] != "|":
        after = replace(after, header="")
    return _put_together(state, blocks, after, last=not more), length, after


_kept_piece = lru_cache(maxsize=KEPT)(_piece)


def _put_together(
    begins: State, blocks: list[tuple[bool, list[str]]], after: State, *, last: bool
) -> str:
    bodies = ["".join(lines) for _, lines in blocks]
    drawn = "".join(
        literal(body) if is_code else prose(body, open_ended=last and body is bodies[-1])
        for (is_code, _), body in zip(blocks, bodies, strict=True)
    )
    drawn = begins.again() + drawn
    if after.broken:
        drawn += INERT
    elif last:
        drawn = UNDERLINE.sub(lambda found: found[0] + INERT, drawn)
    else:
        # between two pieces stands one
        drawn = drawn.removesuffix("\n")
    return inert(drawn)


def _next(line: str, state: State) -> tuple[bool, str, State]:
    """Whether the line is code, how it is drawn, and the state after it."""
    open_fence = None if state.fence and state.fence.is_left_by(line) else state.fence
    item = state.item if line[0].isspace() else ITEM.match(line) is not None
    after = State(open_fence, _header(line, state), line, item)
    found = FENCE.match(line)
    if open_fence is None:
        is_indented = line.startswith(("    ", "\t")) and not item
        if not found or is_indented:
            return is_indented, line, after
        return True, line, replace(after, fence=_fence(found))
    if not found or not open_fence.may_end_behind(found[2]):
        return True, line, after
    return True, *_within(line, found, open_fence, after)


def _fence(found: re.Match[str]) -> Fence:
    indentation, items, marks, language, _ = found.groups()
    return Fence(indentation + re.sub(r"[^>\s]", " ", items), marks, language)


def _within(line: str, found: re.Match[str], fence: Fence, after: State) -> tuple[str, State]:
    """A fence inside a code block: it ends the block, or belongs to a block inside it."""
    marks, language = found[3], found[4]
    hidden = line[: found.start(3)] + INERT + line[found.start(3) :]
    if fence.begins_another(marks, language):
        return hidden, replace(after, fence=replace(fence, within=fence.within + 1))
    if not fence.ends(marks, language):
        return line, after
    if fence.within:
        return hidden, replace(after, fence=replace(fence, within=fence.within - 1))
    return line, replace(after, fence=None)


def _header(line: str, state: State) -> str:
    """The two lines at the head of the table that the line belongs to."""
    if state.fence or not line.startswith("|"):
        return ""
    if not state.header and state.last.startswith("|") and RULE.match(line):
        return state.last + line
    return state.header


def _ends_paragraph(line: str, before: str) -> bool:
    return not line.strip() and bool(before.strip())
