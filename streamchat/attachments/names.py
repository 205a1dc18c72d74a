"""The name of a file, which its sender chose, as a person can be shown it."""

import re
import unicodedata

LONGEST = 60
ENDING = 12


def shown(name: str, otherwise: str = "") -> str:
    """The name without folders and signs that nobody sees, cut in the middle where it is long."""
    last = re.split(r"[/\\]", name[:10_000])[-1]
    clean = " ".join("".join(map(_seen, last)).split())
    if len(clean) > LONGEST:
        clean = f"{clean[: LONGEST - ENDING - 1]}…{clean[-ENDING:]}"
    return clean if clean.strip(". ") else otherwise


def _seen(sign: str) -> str:
    """The sign; a space for one that breaks the line, nothing for one that turns the text around,
    is not seen, or is no sign at all."""
    if sign in "\t\n\r\v\f\x85\u2028\u2029":
        return " "
    return "" if unicodedata.category(sign).startswith("C") else sign
