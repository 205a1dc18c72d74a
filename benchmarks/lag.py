"""How long words took from Claude to their reader."""

import re
from collections.abc import Iterable, Sequence

from benchmarks.words import Order

# when, in seconds of the epoch, which word was the last one there
Seen = Sequence[tuple[float, int]]


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest of the values that is not below this share of them, as 0.99."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def lags(order: Order, start: float, seen: Seen) -> list[float]:
    """Seconds from when each word was due to when it was there; raises ValueError where words are
    missing."""
    late, word = [], 0
    for at, last in seen:
        late += [at - start - order.due(number) for number in range(word, last + 1)]
        word = max(word, last + 1)
    if word != order.words:
        raise ValueError(f"{word} of {order.words} words arrived")
    return late


def seen_in(letter: str, pieces: Iterable[tuple[float, bytes]]) -> list[tuple[float, int]]:
    """When a stream of pieces had shown which word; a number counts once what follows it is
    there."""
    seen, tail, last = [], b"", -1
    pattern = re.compile(letter.encode() + rb"(\d+)(?=\D)")
    for at, piece in pieces:
        text = tail + piece
        highest = max((int(number) for number in pattern.findall(text)), default=-1)
        if highest > last:
            last = highest
            seen.append((at, last))
        tail = text[-12:]
    return seen
