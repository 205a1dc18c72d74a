"""Answers in several parts: whether one can be continued, and the receipt of all its parts."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from streamchat.events import WHOLE, Done, Ending, Failed, Receipt
from streamchat.meter import Usage
from streamchat.replies import Reply
from streamchat.store import restored

FINISHED = WHOLE | {"refusal", "model_context_window_exceeded"}


def is_unfinished(reply: Reply, begun: str) -> bool:
    """Whether the answer that ends with this reply can be continued."""
    if not (begun or reply.text):
        return False
    ending = reply.ending
    return isinstance(ending, Failed) or (
        isinstance(ending, Done) and ending.reason not in FINISHED
    )


def together(earlier: Ending | None, ending: Ending | None) -> Ending | None:
    """The ending, with the usage and the receipt of the `earlier` parts added."""
    if ending is None or earlier is None:
        return ending or earlier
    usage = earlier.usage + ending.usage
    return replace(ending, usage=usage, receipt=_added(earlier, ending))


def _added(earlier: Ending, ending: Ending) -> Receipt | None:
    one, two = earlier.receipt, ending.receipt
    if one is None or two is None:
        return two or one
    return replace(
        two,
        words=one.words + two.words,
        seconds=one.seconds + two.seconds,
        first_word=two.first_word if one.first_word is None else one.first_word,
        tokens_per_second=_speed(earlier, ending),
        cost=one.cost + two.cost,
        saved=one.saved + two.saved,
        assumed=one.assumed + two.assumed,
        searches=one.searches + two.searches,
        shared=one.shared and two.shared,
        # of the parts that cost something
        own_key=all(part.own_key for part in (one, two) if part.cost),
    )


def _speed(*endings: Ending) -> float | None:
    """The speed over all parts that have one."""
    known = [
        (ending.usage.output_tokens, ending.receipt.tokens_per_second)
        for ending in endings
        if ending.receipt and ending.receipt.tokens_per_second
    ]
    seconds = sum(tokens / speed for tokens, speed in known)
    return sum(tokens for tokens, _ in known) / seconds if seconds else None


def stored(earlier: Ending | None) -> dict[str, Any]:
    """The usage and receipt as JSON."""
    if earlier is None or earlier.receipt is None:
        return {}
    return {"usage": asdict(earlier.usage), "receipt": asdict(earlier.receipt)}


def read(kept: Mapping[str, Any]) -> Ending | None:
    """Reads the result of `stored`."""
    if not kept:
        return None
    receipt = restored(Receipt, kept["receipt"])
    return Done(receipt.reason, restored(Usage, kept["usage"]), receipt)
