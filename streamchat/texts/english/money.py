"""The cost of a reply, and the money that a visitor has left."""

from collections.abc import Callable, Sequence
from typing import Any

from streamchat.texts.amounts import dollars

# how often, in so many of which unit
Rate = tuple[int, int, str]


def receipt(*, model: str, words: int, **went: Any) -> str:
    """The receipt on one line; empty if nothing was written and nothing spent. The fields are those
    of `Receipt`."""
    if not words and not went["cost"]:
        return ""
    parts = [model, f"{words:,} word" + ("" if words == 1 else "s")]
    if went["first_word"] is not None:
        parts.append(f"first token {went['first_word']:.1f} s")
    if went["tokens_per_second"]:
        parts.append(f"{went['tokens_per_second']:.0f} tokens/s")
    stopped = ["stopped: connection to Claude closed"] if went["closed"] else []
    return " · ".join([*parts, *paid(**went), *stopped])


def paid(*, cost: float, saved: float, assumed: float, **by: Any) -> list[str]:
    if by["shared"]:
        return ["from cache · free"]
    amount = ("at most " if assumed else "") + dollars(cost)
    costs = [amount + (" on your key" if by["own_key"] else "")] if cost else []
    return costs + ([f"caching saved {dollars(saved)}"] if saved > 0 else [])


def allowance(rates: Sequence[Rate], left: float | None) -> str:
    """The limits of a visitor; empty if there are none."""
    if left == 0:
        return "Not enough left today for another answer."
    asking = [f"You can ask {' and '.join(often(*rate) for rate in rates)}."] if rates else []
    money = [] if left is None else [f"{dollars(left)} left today."]
    return " ".join(asking + money)


def often(number: int, units: int, unit: str) -> str:
    times = "once" if number == 1 else f"{number} times"
    if units > 1:
        return f"{times} in {units} {unit}s"
    return f"{times} {'an' if unit == 'hour' else 'a'} {unit}"


SENTENCES: dict[str, str | Callable[..., str]] = {"receipt": receipt, "allowance": allowance}
