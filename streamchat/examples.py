"""The example questions on the page: the owner's, or usual ones."""

import re

USUAL = (
    "Write a friendly letter that asks my neighbour for quiet after ten in the evening",
    "Write a Python script that finds duplicate files in a folder",
    "Compare Europe's five longest rivers in a table",
    "Plan three days in Lisbon with two children and no car",
)
OFF = "off"
MOST = 8
LONGEST = 200  # characters


def split(text: str) -> tuple[str, ...]:
    """The examples in a text, one a line or separated by |; duplicates count once, and `off` means
    none."""
    lines = [" ".join(line.split(" ")).strip() for line in re.split(r"[\n\r|]", text)]
    examples = tuple(dict.fromkeys(filter(None, lines)))
    return () if text.strip().lower() == OFF else examples


def checked(text: str) -> str:
    """Returns the text if it is empty, `off`, or has examples that fit on the page. Raises
    `ValueError` otherwise."""
    examples = split(text)
    if not text or text.strip().lower() == OFF:
        return text
    if not 1 <= len(examples) <= MOST:
        raise ValueError(
            f"it should have 1 to {MOST} examples, one a line or with | between them, or be {OFF}"
        )
    if max(map(len, examples)) > LONGEST:
        raise ValueError(f"it should have no example of more than {LONGEST} characters")
    if not all(map(str.isprintable, examples)):
        raise ValueError("it should have no control characters")
    return text
