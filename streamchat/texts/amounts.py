"""Spans of time and sums of money as people write them."""


def spoken(seconds: float) -> str:
    """A span of time in everyday words, rounded up."""
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds > size:
            return f"{-(-seconds // size):.0f} {unit}"
    return f"{max(1, -(-seconds // 1)):.0f} s"


def dollars(amount: float) -> str:
    """A sum with enough digits to show that it is not zero."""
    return f"${amount:.2f}" if amount >= 0.1 or not amount else f"${amount:.4f}"


def brief(amount: float) -> str:
    """To a tenth of a cent, or finer where that is nothing."""
    digits = 2 if amount >= 0.1 else 3 if amount >= 0.001 else 4
    return f"${amount:.{digits}f}" if amount >= 0.0001 else "under $0.0001"


def price(amount: float) -> str:
    """The price of an answer in words."""
    cents = round(100 * amount)
    if cents:
        return f"about {cents} cent{'' if cents == 1 else 's'} an answer"
    return f"less than {'0.1' if amount < 0.001 else 'a'} cent an answer"
