"""The receipt below an answer: one quiet line, and behind it the details, which receipts.js opens.

A mark that no words of others have stands between the two.
"""

import re
from dataclasses import asdict

from streamchat import texts
from streamchat.events import Done, Failed
from streamchat.options import known
from streamchat.ui.content import NOTE, plain

# as earlier releases wrote them, on one line
EARLIER = re.compile(
    rf"(?P<before>\A{NOTE}(?:ⓘ [^\n]*\n)?)"
    rf"(?P<model>[^·\n{NOTE}]+) · (?P<rest>[\d,]+ words?(?: · .*)?)\Z"
)
COST = re.compile(r"(at most )?\$(?P<amount>\d+(?:\.\d+)?)( on your key)?")


def receipt(ending: Done | Failed) -> str:
    """Empty where nothing was written and nothing spent."""
    it = ending.receipt
    if it is None or not (it.words or it.cost):
        return ""
    went = asdict(it) | asdict(ending.usage)
    details = texts.text("receipt_details", **went)
    return NOTE + _together(texts.text("receipt", **went | {"model": short(it.model)}), details)


def renewed(note: str) -> str:
    """The text of a note in which the receipt is one of today; as it is without one."""
    if not (found := EARLIER.match(note)):
        return note
    parts = found["rest"].split(" · ")
    cost = next((part for part in parts if COST.fullmatch(part)), "")
    paid = COST.sub(
        lambda it: it[0].replace("$" + it["amount"], texts.brief(float(it["amount"]))), cost
    )
    free = "free" if "free" in parts else ""
    summary = " · ".join(filter(None, [short(found["model"].strip()), paid or free]))
    before = found["before"].rstrip() + "\n\n" if "ⓘ" in found["before"] else found["before"]
    return before + _together(summary, "\n".join([found["model"].strip(), *parts]))


def short(model: str) -> str:
    """The name of the model as the line has it."""
    return (
        texts.text("demo_answer") if model == "demo" else known(model).name.removeprefix("Claude ")
    )


def _together(summary: str, details: str) -> str:
    return plain(summary) + NOTE + "  \n" + plain(details).replace("\n", "  \n")
