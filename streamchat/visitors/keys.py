"""Cleans an API key that was pasted with spaces, line breaks or quotation marks around it."""

import re

# placeholders for a key in instructions
PLACEHOLDER = re.compile(
    r"(sk-ant-)?(api\d\d-)?[.x*]+|<.*>|(my|your)[^a-z]?(anthropic[^a-z]?)?(api[^a-z]?)?key([^a-z]?here)?",
    re.IGNORECASE,
)


def clean(key: str) -> str:
    """The bare key. Raises `ValueError` for text that cannot be a key."""
    key = "".join(key.split()).strip("\"'")
    if not key.isascii() or not key.isprintable():
        raise ValueError(
            "a key consists of plain ASCII characters; copy it anew from the Claude Console"
        )
    if PLACEHOLDER.fullmatch(key):
        raise ValueError(
            "it is the placeholder for a key; put one from the Claude Console in its place"
        )
    return key
