"""The English sentences by code, one module for each area."""

from collections.abc import Callable, Mapping

from streamchat.texts.english import (
    chat,
    docs,
    failures,
    files,
    login,
    money,
    notices,
    options,
    owner,
    page,
    refusal,
    requests,
    searching,
    sharing,
)
from streamchat.texts.english.endings import ENDINGS as ENDINGS
from streamchat.texts.english.endings import UNKNOWN_ENDING as UNKNOWN_ENDING
from streamchat.texts.english.failures import CAUSES as CAUSES
from streamchat.texts.english.notices import UNKNOWN as UNKNOWN
from streamchat.texts.english.options import GOOD_FOR as GOOD_FOR

AREAS: tuple[Mapping[str, str | Callable[..., str]], ...] = (
    failures.SENTENCES,
    files.SENTENCES,
    money.SENTENCES,
    notices.SENTENCES,
    options.SENTENCES,
    requests.SENTENCES,
    searching.SENTENCES,
    page.SENTENCES,
    sharing.SENTENCES,
)

# words that stand in the HTML and JavaScript of a page by these codes
PAGES: Mapping[str, Mapping[str, str]] = {
    "chat": chat.WORDS,
    "docs": docs.WORDS,
    "login": login.WORDS,
    "owner": owner.WORDS,
    "refusal": refusal.WORDS,
}
