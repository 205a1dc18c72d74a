"""Joins an interrupted answer and its continuation, without the words that the continuation
repeats."""

import re

# characters of an anchor
LONGEST = 180
# characters from which an anchor is known again, whatever whitespace it comes with
SURE = 20
# characters by which a repetition may be longer than the anchor, for its whitespace may differ
SPACES = 20


class Seam:
    """Joins a partial answer and its continuation, which comes in pieces.

    The continuation is asked to begin with the `anchor`, the partial's last words. It may do so,
    repeat fewer words, or simply go on. No word should be lost, and none shown twice.

    Two things count as a repetition. First, the whole anchor, if it has at least 20 characters,
    with any whitespace before and in it. The anchor is chosen so that a repetitive text (rows of
    zeros) does not go on with it by itself; if no last words are such an anchor, this rule does not
    apply.

    Second, the anchor's last words, if they follow the partial without the space that parts words:
    "the quick" + "quick brown", "It works." + "It works. Now". They need at least two letters of a
    script with upper and lower case. "ha" + " ha" and "| 0 " + "| 0 |" have that space, and are
    kept.

    So an exact continuation loses nothing, unless the uncut text says the whole anchor twice at the
    cut, or the same words without a space between ("bon" + "bon"). Only text that may still become
    a repetition is held back: at most the anchor's length and 20 characters for whitespace.
    """

    def __init__(self, partial: str) -> None:
        self.anchor = _anchor(partial)
        self._words = _plain(self.anchor)
        self._endings = [
            self._words[word.start() :] for word in re.finditer(r"(?<!\S)\S|\b\w", self._words)
        ]
        self._sure = _is_sure(partial, self.anchor)
        self._space = partial[len(partial.rstrip()) :] if self.anchor else ""
        self._held = ""
        self._open = bool(self.anchor)

    def feed(self, text: str) -> str:
        """The text that may be shown after this piece of the continuation."""
        if not self._open:
            return self._unspaced(text)
        self._held += text
        return "" if self._may_become_a_repetition() else self.end()

    def end(self) -> str:
        """The rest of the text that was held back."""
        if not self._open:
            return ""
        self._open = False
        repeated = self._repeated()
        if not repeated:
            self._space = ""
        return self._unspaced(_without(repeated, self._held))

    def _may_become_a_repetition(self) -> bool:
        begun = _plain(self._held)
        short = len(self._held) <= len(self.anchor) + SPACES
        return short and any(words.startswith(begun) for words in self._repeatable())

    def _repeated(self) -> str:
        begun = _plain(self._held)
        matching = (words for words in self._repeatable() if begun.startswith(words))
        return next(
            (words for words in matching if self._is_repetition(words, begun[len(words) :][:1])), ""
        )

    def _repeatable(self) -> list[str]:
        """The repetitions that may be dropped at this seam: the anchor and its last words, the
        longest first."""
        if self._space or self._held[:1].isspace():
            return [self._words] if self._sure else []
        return self._endings

    def _is_repetition(self, words: str, then: str) -> bool:
        """Whether a continuation that begins with these last words, and has `then` after them,
        repeats them."""
        asked_for, count = words == self._words, words.count(" ") + 1
        letters = sum(map(_is_letter, words))
        if asked_for and self._sure:
            return True
        if letters < 2 or not (asked_for or count > 2 or _is_letter(words[0])):
            return False
        if _is_letter(words[-1]) or words[-1].isdigit():
            return (letters > 3 or not then.isalnum()) and (count > 1 or not _is_periodic(words))
        return not then.strip()

    def _unspaced(self, text: str) -> str:
        """The text without the whitespace that the partial already ends with."""
        same = 0
        while text[same : same + 1] == self._space[same : same + 1] != "":
            same += 1
        self._space = self._space[same:] if same == len(text) else ""
        return text[same:]


def _anchor(partial: str) -> str:
    """The last words, at most 180 characters; if possible, words that the text would not repeat by
    itself."""
    text = partial.rstrip()
    starts = re.compile(r"(?<!\S)\S").finditer(text, max(0, len(text) - LONGEST))
    anchors = [text[start.start() :] for start in starts] or [text[-LONGEST:]]
    return next((anchor for anchor in anchors if _is_sure(partial, anchor)), anchors[0])


def _is_sure(partial: str, anchor: str) -> bool:
    words, text = _plain(anchor), _plain(partial[-4 * LONGEST :].rstrip())
    before = text.removesuffix(words)
    return len(words) >= SURE and not any(
        _is_periodic(words + joint) or before.endswith(words + joint)
        # the text may have been cut inside a word or after it
        for joint in ("", " ")
    )


def _is_periodic(words: str) -> bool:
    return words in (words + words)[1:-1]


def _is_letter(sign: str) -> bool:
    """Whether the sign belongs to a script with upper and lower case, which parts words by
    spaces."""
    return sign.lower() != sign.upper()


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).lstrip()


def _without(repeated: str, text: str) -> str:
    return (
        re.sub(r"\s*" + r"\s+".join(map(re.escape, repeated.split())), "", text, count=1)
        if repeated
        else text
    )
