"""The cost of a reply and the rest of the budget, in words for the visitor."""

from collections.abc import Sequence

from streamchat.events import Receipt


def worded(receipt: Receipt) -> str:
    """On one line; empty where nothing was written and nothing spent."""
    if not receipt.words and not receipt.cost:
        return ""
    parts = [receipt.model, f"{receipt.words:,} word" + ("" if receipt.words == 1 else "s")]
    if receipt.first_word is not None:
        parts.append(f"first token {receipt.first_word:.1f} s")
    if receipt.tokens_per_second:
        parts.append(f"{receipt.tokens_per_second:.0f} tokens/s")
    return " · ".join(
        [
            *parts,
            *_money(receipt),
            *(["stopped: connection to Claude closed"] if receipt.closed else []),
        ]
    )


def allowance(often: Sequence[str], left: float | None) -> str:
    """The limits of a visitor in words; empty if there are none."""
    if left == 0:
        return "Not enough left today for another answer."
    rates = [f"You can ask {' and '.join(often)}."] if often else []
    money = [] if left is None else [f"{dollars(left)} left today."]
    return " ".join(rates + money)


def _money(receipt: Receipt) -> list[str]:
    if receipt.shared:
        return ["from cache · free"]
    amount = ("at most " if receipt.assumed else "") + dollars(receipt.cost)
    cost = [amount + (" on your key" if receipt.own_key else "")] if receipt.cost else []
    return cost + ([f"caching saved {dollars(receipt.saved)}"] if receipt.saved > 0 else [])


def dollars(amount: float) -> str:
    """With as many digits as it takes to see that it is not nothing."""
    return f"${amount:.2f}" if amount >= 0.1 or not amount else f"${amount:.4f}"
