"""The receipt below an answer: one line, and details that receipt.js shows on demand.

A mark that foreign text cannot contain parts the two.
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
    """The receipt; empty if nothing was written and nothing spent."""
    it = ending.receipt
    if it is None or not (it.words or it.cost):
        return ""
    went = asdict(it) | asdict(ending.usage)
    details = texts.text("receipt_details", **went)
    return NOTE + _together(texts.text("receipt", **went | {"model": short(it.model)}), details)


def renewed(note: str) -> str:
    """A note with an earlier release's receipt in today's form; any other note unchanged."""
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
    """The model's short name."""
    return (
        texts.text("demo_answer") if model == "demo" else known(model).name.removeprefix("Claude ")
    )


def _together(summary: str, details: str) -> str:
    return plain(summary) + NOTE + "  \n" + plain(details).replace("\n", "  \n")
