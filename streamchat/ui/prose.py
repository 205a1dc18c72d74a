"""Prose and code as Markdown, guarded against Gradio's search for formulas and Markdown's rules on
emphasis."""

import re

from streamchat.ui.cited import MARK as CITED
from streamchat.ui.content import INERT, SOURCE

# ends an address: to Markdown the first one is a space
STOP = "\ufeff" + INERT

CODE_SPAN = re.compile(r"(?<![`\\])(`+)(?!`)(?:.+?(?<!`)\1(?!`)|(?P<open>.*\Z))", re.DOTALL)
# of four dollars the first pass finds two pairs
FORMULA = ("$$", "$$", "\\(", "\\)", "\\[", "\\]")

CJK = r"\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
MARK = (
    r"\u2010-\u2027\u3001-\u3003\u3008-\u3011\u3014-\u301f"
    r"\uff01-\uff0f\uff1a-\uff1f\uff3b-\uff40\uff5b-\uff65"
)
PUNCTUATION = rf"!-)+-/:-@\[\]-_{{-~{MARK}"
CLOSES = re.compile(rf"(?<=[{PUNCTUATION}])(?=\*+[{CJK}])")
OPENS = re.compile(rf"(?<=[{CJK}])\*+(?=[{PUNCTUATION}])")
ADDRESS = re.compile(rf"(?<!\]\()(?<![<\w/.])(?:https?://|www\.)[^\s<{MARK}]+(?=[{MARK}])")


def literal(code: str) -> str:
    """Code that Gradio will not read as formulas, without marks of sources."""
    if SOURCE in code:
        code = CITED.sub("", code)
    for pair in FORMULA:
        code = code.replace(pair, pair[0] + INERT + pair[1])
    return code


def prose(block: str, *, open_ended: bool) -> str:
    """A block of text, whose last code span may still be incomplete."""
    drawn, at = [], 0
    for span in CODE_SPAN.finditer(block):
        if span["open"] is not None and not open_ended:
            break
        drawn += [_words(block[at : span.start()]), literal(span[0])]
        at = span.end()
    return "".join([*drawn, _words(block[at:])])


def _words(text: str) -> str:
    """Text without code. In languages without spaces, bold type and addresses end where they
    should."""
    text = CLOSES.sub(INERT, text)
    text = OPENS.sub(lambda found: found[0] + INERT, text)
    return ADDRESS.sub(lambda found: found[0] + STOP, text)
