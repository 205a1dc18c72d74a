"""Quotes foreign text within an answer's Markdown."""

import re


def quoted(text: str, length: int) -> str:
    """The text as one line without Markdown, HTML or formulas."""
    line = " ".join(text.split())
    short = line if len(line) <= length else line[:length].rstrip() + "…"
    special = r"[\\`*_\[\]<>&$~|#]|^[-+=]|^\d+(?=[.)])"
    return re.sub(special, lambda found: "".join(f"&#{ord(sign)};" for sign in found[0]), short)
