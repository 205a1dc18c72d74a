"""Makes foreign text safe to show as Markdown: HTML is shown as text, and pictures as links.

An invisible character after the `<` of a tag and the `!` of a picture keeps Markdown from reading
them. The same character is removed from all text that comes in, so that a copy can be restored
exactly.
"""

import re

# before notes of the chat and after thoughts: ui.js tells them from what is to be copied
NOTE = "\u2063"
# before notes in place of an answer, or of the rest of one: styles make them stand out
CALLOUT = NOTE + NOTE
INERT = "\u2064"
# in the marks of sources and searches, which `cited` puts into answers
SOURCE = "\u2062"
RESERVED = str.maketrans("", "", NOTE + INERT + SOURCE)

BARE = r"(?:br|sub|sup|kbd)"
TAG = re.compile(
    rf"""
    <(?=[A-Za-z/!?])           # where HTML might begin,
    (?!/?{BARE}[ ]?/?>)        # but for a few tags without attributes that hide no text,
    (?!https?://[^\s<>]*>)     # and addresses
    """,
    re.VERBOSE | re.IGNORECASE,
)
PICTURE = re.compile(r"!(?=\[)")
# Gradio draws diagrams, whose labels may name pictures, and keeps a place for each formula while it
# renders
DIAGRAM = re.compile(r"([`~]{3}[ \t]*)(?=mermaid)", re.IGNORECASE)
PLACE = re.compile(r"%%%(?=LATEX_BLOCK_)")


class Entities(dict[int, str]):
    """Letters, digits and spaces as they are, and each other sign as an entity. Quicker than a
    regular expression where there are many signs."""

    def __missing__(self, number: int) -> str:
        sign = chr(number)
        return sign if sign.isalnum() or sign.isspace() else f"&#{number};"


ENTITIES = Entities()
ENTITIES.update({number: ENTITIES[number] for number in range(128)})


def plain(text: str) -> str:
    """Removes the reserved characters."""
    return text.translate(RESERVED)


def as_text(words: str) -> str:
    """Markdown or HTML that shows the words literally, also in an attribute."""
    return words.translate(ENTITIES)


def inert(text: str) -> str:
    """Escapes HTML and pictures, so that Markdown shows them as text. Idempotent."""
    # replacements without a function, which a megabyte of tags would call a million times
    for begin, sign in ((TAG, "<"), (PICTURE, "!"), (PLACE, "%%%")):
        text = begin.sub(sign + INERT, text)
    return DIAGRAM.sub(lambda found: found[0] + INERT, text)


def restored(text: str) -> str:
    """Undoes `inert`."""
    return text.replace(INERT, "")
