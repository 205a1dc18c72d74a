"""The model's titles of a conversation: each of its first questions has its own."""

from collections.abc import Sequence

from streamchat.ui.transcript import Shown, text_of
from streamchat.ui.typed import digest

# of one conversation
MOST = 20

# by the digest of the first question
Titles = dict[str, str]


def along(
    title: str | None, others: Titles, was: Sequence[Shown], now: Sequence[Shown]
) -> tuple[str | None, Titles]:
    """The title when other messages are shown, and those of the first questions that are not. None
    stands for a question that the model was not asked to name."""
    if not now:
        return None, {}
    if was[:1] == now[:1]:
        return title, others
    known = {**others, **({} if title is None or not was else {_sign(was): title})}
    wanted = known.pop(_sign(now), None)
    return wanted, dict(list(known.items())[-MOST:])


def late(others: Titles, question: str, title: str) -> Titles:
    """The titles with that of a question which is not shown any more."""
    sign = digest(question)
    return others | {sign: title} if sign in others else others


def _sign(messages: Sequence[Shown]) -> str:
    return digest(text_of(messages[0]))
