"""Cleans a file's name, which its sender chose, so that it can be shown."""

import re
import unicodedata

LONGEST = 60
ENDING = 12
# characters at the end of a longer name that are looked at
READ = 500


def shown(name: str, otherwise: str = "") -> str:
    """The name without folders and invisible signs, shortened in the middle."""
    last = re.split(r"[/\\]", name[-READ:])[-1]
    clean = " ".join("".join(map(_seen, last)).split())
    if len(clean) > LONGEST:
        clean = f"{clean[: LONGEST - ENDING - 1]}…{clean[-ENDING:]}"
    return clean if clean.strip(". ") else otherwise


def _seen(sign: str) -> str:
    """The character, a space for a line break, or nothing for an invisible or direction-changing
    character."""
    if sign in "\t\n\r\v\f\x85\u2028\u2029":
        return " "
    return "" if unicodedata.category(sign).startswith("C") else sign
