"""A tab as the store keeps it, and back; and the card by which its reader finds it."""

from collections.abc import Sequence

from streamchat.chat import titles
from streamchat.replies import Reply
from streamchat.store import Card, State
from streamchat.ui.attached import digests, files_of
from streamchat.ui.continuing import read, stored
from streamchat.ui.tab import Tab
from streamchat.ui.transcript import Shown, conversation, message_of, size_of, text_of
from streamchat.ui.typed import digest
from streamchat.ui.versions import Versions


def card_of(tab: Tab, at: float | None) -> Card:
    """A conversation as its reader finds it; `at` is the time of its last word, where that is not
    now."""
    messages = tab.messages()
    texts = [words.text or file_names(it) for it in messages for words in conversation([it])]
    return Card(tab.reader, tab.title or title_of(messages), "\n\n".join(texts), at)


def title_of(messages: Sequence[Shown]) -> str:
    """The first words of the first question, or the names of its files."""
    return first_words(first_question(messages))


def first_question(messages: Sequence[Shown]) -> str:
    """The first question, or the names of its files if it has no words."""
    questions = (message for message in messages if message["role"] == "user")
    return next((text_of(it) or file_names(it) for it in questions), "")


def file_names(message: Shown) -> str:
    return ", ".join(file["name"] for file in files_of(message))


def first_words(question: str) -> str:
    """The title of a conversation with this first question, until the model gives it one."""
    return titles.shortened(titles.one_line(question[: 10 * titles.MAX_TITLE]))


def state_of(tab: Tab) -> State:
    """The tab's state for the store. Nothing in it changes afterwards."""
    return {
        "before": tab.before,
        "begun": tab.begun,
        "missing": tab.missing,
        "reply": tab.reply.id if tab.reply else None,
        "person": tab.person,
        "received": tab.received,
        "size": tab.size,
        "reader": tab.reader,
        "replies": tab.replies,
        "options": tab.choice.fields if tab.choice else {},
        "title": tab.title,
        "titles": tab.titles,
        "earlier": stored(tab.earlier),
        "files": _files(tab),
        **tab.versions.state,
    }


def _files(tab: Tab) -> list[str]:
    """The digests of all that the store has to keep, also for the versions that are hidden."""
    hidden = [message for turn in tab.versions.hidden for message in turn.messages]
    return digests([*tab.before, *hidden])


def tab_of(state: State, reply: Reply | None, root: str) -> Tab:
    """The tab with that state, also from an earlier release."""
    before = _before(state)
    return Tab(
        before,
        state.get("begun", ""),
        reply,
        state.get("person", ""),
        state.get("received") or [digest(message) for message in state.get("sent", [])],
        state.get("missing", []),
        root=root,
        size=state.get("size") or size_of(before),
        reader=state.get("reader", ""),
        replies=state.get("replies", []),
        title=state.get("title"),
        titles=state.get("titles", {}),
        earlier=read(state.get("earlier", {})),
        versions=Versions.of(state),
    )


def _before(state: State) -> list[Shown]:
    """The messages of a stored state. Earlier releases stored shown messages, and the typed text of
    indented ones beside them."""
    typed: dict[str, str] = state.get("indented", {})
    before: list[Shown] = state.get("before", [])
    return [
        message_of("user", typed[text_of(message)])
        if message["role"] == "user" and text_of(message) in typed
        else message
        for message in before
    ]
