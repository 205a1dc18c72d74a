"""The figures of the owner's page, as JSON: times in seconds (hours and days since 1970, UTC),
money in dollars."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from streamchat.chat import DAY, HOUR, Adjustments, Chat, Entry, Journal, Trouble, Votes
from streamchat.money import Budget
from streamchat.sources.demo import Demo
from streamchat.texts import for_owner, text

Figures = dict[str, Any]
DAYS, HOURS = 30, 24


async def figures(chat: Chat, adjustments: Adjustments, votes: Votes) -> Figures:
    """All figures of the page. They hold no words of a conversation, no addresses and no ids of
    replies. The demo's replies do not count if Claude answers."""
    budget = chat.budget
    entries = [
        entry for entry in chat.journal.entries if budget is None or entry.model != Demo.model
    ]
    return {
        "source": chat.source.name,
        "demo": chat.source.model == Demo.model,
        "pausable": budget is not None,
        "paused": chat.pause.since if budget else None,
        "recorded": budget is None or budget.is_recorded,
        "trouble": trouble(chat.trouble),
        "money": money(budget, chat.journal) if budget else None,
        "running": await running(chat),
        "throttled": [
            {"visitor": visitor, "seconds": wait} for visitor, wait in chat.throttled().items()
        ],
        "settings": [asdict(each) for each in adjustments.all()],
        "votes": [asdict(day) for day in await votes.days(DAYS)],
        "words": [asdict(vote) for vote in await votes.words()],
        "settings_kept": adjustments.are_kept,
        **await asyncio.to_thread(past, chat.journal, entries),
    }


def trouble(trouble: Trouble) -> Figures | None:
    return (
        {"sentence": for_owner(trouble.error.cause), "since": trouble.since}
        if trouble.error
        else None
    )


def past(journal: Journal, entries: list[Entry]) -> Figures:
    answers = [entry for entry in entries if entry.is_answer]
    return {
        "hours": [asdict(span) for span in journal.spans(entries, HOUR, HOURS)],
        "days": [asdict(span) for span in journal.spans(entries, DAY, DAYS)],
        "endings": endings(journal.last(DAY, answers), journal.last(DAYS * DAY, answers)),
    }


def money(budget: Budget, journal: Journal) -> Figures:
    """Spending of today and of the last days, without what is reserved for running replies.
    `assumed` is the part of today's spending that Claude did not count."""
    *days, _ = (dollars for _, dollars in budget.days(DAYS))
    spent = round(budget.spent() - budget.reserved(), 6)
    assumed = round(journal.assumed_today(), 6)
    return {
        "spent": spent,
        "assumed": min(spent, assumed),
        "reserved": budget.reserved(),
        "left": budget.left(),
        "days": [*days, spent],
    }


async def running(chat: Chat) -> list[Figures]:
    """The running replies. Yields to others between replies, so that counting delays nobody's
    text."""
    replies = []
    for name, each in list(chat.journal.running.items()):
        if so_far := each.receipt():
            replies.append({"name": name, "visitor": each.visitor, **asdict(so_far)})
        await asyncio.sleep(0)
    return replies


def endings(day: Sequence[Entry], month: Sequence[Entry]) -> list[Figures]:
    """How often each kind of ending came, and when it last did; the most frequent one first."""
    of_day, of_month = (
        Counter((entry.reason, entry.failed) for entry in entries) for entries in (day, month)
    )
    last = {(entry.reason, entry.failed): entry.at for entry in month}
    return [
        {
            "reason": reason,
            "failed": failed,
            "sentence": sentence(reason) if failed else "",
            "day": of_day[reason, failed],
            "month": number,
            "last": last[reason, failed],
        }
        for (reason, failed), number in of_month.most_common()
    ]


def sentence(code: str) -> str:
    """The sentence about an error, without its values, which are not stored."""
    try:
        return for_owner(code) or text(code)
    except (KeyError, TypeError):
        return ""
