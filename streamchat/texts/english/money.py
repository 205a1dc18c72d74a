"""The cost of a reply, and the money that a visitor has left."""

from collections.abc import Callable, Sequence
from typing import Any

from streamchat.texts.amounts import brief, dollars

# how many, in so many of which unit
Rate = tuple[int, int, str]


def receipt(*, model: str, **went: Any) -> str:
    """The model and the price. The fields are those of `Receipt` and `Usage`."""
    return " · ".join(filter(None, [model, paid(brief, **went)]))


def receipt_details(*, model: str, words: int, seconds: float, **went: Any) -> str:
    """A line for each, with its name before it."""
    first, speed = went["first_word"], went["tokens_per_second"]
    after = "" if first is None else f", first word after {first:.1f} s"
    tokens = went["input_tokens"] + went["cache_read_tokens"] + went["cache_write_tokens"]
    # those that were charged, where Claude had not counted them yet
    searches = max(went["web_searches"], went["searches"])
    lines = {
        "Model": model,
        "Words": f"{words:,}",
        "Time": f"{seconds:.1f} s{after}",
        "Speed": f"{speed:.0f} tokens/s" if speed else "",
        "Tokens": f"{tokens:,} in, {went['output_tokens']:,} out" if tokens else "",
        "Cache": cached(**went),
        "Searches": f"{searches}" if searches else "",
        "Cost": paid(dollars, **went) + (", from cache" if went["shared"] else ""),
        "Stopped": "connection to Claude closed" if went["closed"] else "",
    }
    return "\n".join(f"{name}: {value}" for name, value in lines.items() if value)


def paid(told: Callable[[float], str], *, cost: float, assumed: float, **by: Any) -> str:
    """The price, and on whose key; empty where nothing costs money."""
    if by["shared"]:
        return "free"
    if not cost:
        return ""
    return ("at most " if assumed else "") + told(cost) + (" on your key" if by["own_key"] else "")


def cached(*, cache_read_tokens: int, cache_write_tokens: int, saved: float, **_: Any) -> str:
    """The effect of prompt caching, in tokens and dollars."""
    parts = [
        f"{cache_read_tokens:,} tokens read" if cache_read_tokens else "",
        f"{cache_write_tokens:,} tokens written" if cache_write_tokens else "",
        f"{dollars(saved)} saved" if saved > 0 else "",
    ]
    return ", ".join(filter(None, parts))


def allowance(rates: Sequence[Rate], left: float | None) -> str:
    """The rest of a visitor's limits: messages, and dollars of the day. Empty without any."""
    if left == 0:
        return "Not enough left today for another answer."
    parts = [remaining(*rate) for rate in rates]
    parts += [] if left is None else [f"{dollars(left)} left today"]
    return " · ".join(parts)


def remaining(number: int, units: int, unit: str) -> str:
    messages = "message" if number == 1 else "messages"
    when = f"in {units} {unit}s" if units > 1 else "today" if unit == "day" else f"this {unit}"
    return f"{number or 'No'} more {messages} {when}"


SENTENCES: dict[str, str | Callable[..., str]] = {
    "receipt": receipt,
    "receipt_details": receipt_details,
    "allowance": allowance,
}
