"""Versions of questions and answers, as a tab keeps them and its page switches between them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from streamchat.errors import Busy, ChangedMeanwhile
from streamchat.events import Done, Text
from streamchat.replies import Reply
from streamchat.store import Store
from streamchat.texts import worded
from streamchat.ui import choices, name_of_answer
from streamchat.ui.tab import Tab
from streamchat.ui.transcript import Shown, conversation, message_of, size_of, text_of
from streamchat.ui.versions import MAX_VERSIONS, Bounds, Versions
from streamchat.web.readers import READER
from tests.attacks.visitor import Room, Visitor, frames


class Known(Visitor):
    """A visitor whose browser has a cookie, so that they have saved conversations."""

    def opens(self, session: str | None) -> gr.Request:
        headers = [(b"x-version", str(self.leaf).encode())] if self.leaf is not None else []
        scope = {"type": "http", "headers": headers, "client": (self.address, 1)}
        request = Request(scope | {READER: "browser:one"})
        return gr.Request(request, session_hash=session)

    leaf: int | None = None

    @property
    async def tab(self) -> Tab:
        return await self.page.tab(self.request)

    async def goes_to(self, number: int) -> list[tuple[str, str]]:
        """Shows the turn with that number, reloads the page, and returns its messages."""
        tab = await self.tab
        assert tab.show(number)
        self.room.tabs.save(self.page.tab_id(self.request), tab)
        await self.reload()
        return words(self.shown)


def words(messages: Sequence[Shown]) -> list[tuple[str, str]]:
    """The roles and texts without receipts."""
    return [(message.role, message.text) for message in conversation(messages)]


def turn(question: str, answer: str) -> list[tuple[str, str]]:
    return [("user", question), ("assistant", answer)]


def meanwhile(
    room: Room, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]
) -> list[Reply]:
    """Makes the change after a page has asked, and before its reply begins. Returns the list to
    which that reply is added."""
    ask, replies = room.chat.ask, list[Reply]()

    async def slowly(*values: Any, **options: Any) -> Reply:
        change()
        replies.append(await ask(*values, **options))
        return replies[-1]

    monkeypatch.setattr(room.chat, "ask", slowly)
    return replies


async def was_stopped(replies: list[Reply]) -> bool:
    """Whether the only reply has ended because it was stopped."""
    (reply,) = replies
    await reply.ended.wait()
    return isinstance(reply.ending, Done) and reply.ending.reason == "stopped"


@pytest.fixture
async def room(tmp_path: Path) -> Any:
    room = Room(Store(str(tmp_path)))
    await room.chat.open()
    yield room
    await room.close()


async def asked(room: Room) -> Known:
    """A visitor who asked twice, retried the second question and then edited the first one."""
    visitor = Known(room)
    await visitor.reload("")
    await visitor.ask("One", "First.")
    await visitor.ask("Two", "Second.")
    await visitor.retry()
    await visitor.edit(0, "Uno")
    return visitor


async def test_a_retry_and_an_edit_keep_earlier_versions(room: Room) -> None:
    """Each version brings back everything that followed it when it was last shown."""
    visitor = await asked(room)
    assert words(visitor.shown) == turn("Uno", "Edited.")
    assert choices(await visitor.tab) == {
        "path": [3],
        "choices": [{"turn": 0, "shown": 3, "questions": [0, 3], "answers": [3]}],
    }
    assert await visitor.goes_to(0) == turn("One", "First.") + turn("Two", "Again.")
    assert choices(await visitor.tab)["choices"] == [
        {"turn": 0, "shown": 0, "questions": [0, 3], "answers": [0]},
        {"turn": 1, "shown": 2, "questions": [2], "answers": [1, 2]},
    ]
    assert await visitor.goes_to(1) == turn("One", "First.") + turn("Two", "Second.")
    assert await visitor.goes_to(3) == turn("Uno", "Edited.")
    assert await visitor.goes_to(0) == turn("One", "First.") + turn("Two", "Second.")


async def test_only_the_shown_path_goes_to_claude(room: Room) -> None:
    """Hidden turns are not sent, and a new question follows the shown version alone."""
    visitor = await asked(room)
    await visitor.goes_to(1)
    await visitor.ask("Three", "Third.")
    path = turn("One", "First.") + turn("Two", "Second.")
    assert visitor.sent == [*path, ("user", "Three")]
    assert await visitor.goes_to(3) == turn("Uno", "Edited.")
    await visitor.ask("Dos", "Segundo.")
    assert visitor.sent == [*turn("Uno", "Edited."), ("user", "Dos")]
    assert await visitor.goes_to(0) == path + turn("Three", "Third.")


async def test_versions_outlive_a_restart(room: Room, tmp_path: Path) -> None:
    """Versions are stored with their conversation; one without any takes no extra byte."""
    visitor = await asked(room)
    tab_id = visitor.page.tab_id(visitor.request)
    told = choices(await visitor.tab)
    await room.close()
    again = Room(Store(str(tmp_path)))
    await again.chat.open()
    other = Known(again)
    await other.reload(tab_id)
    assert choices(await other.tab) == told
    assert await other.goes_to(1) == turn("One", "First.") + turn("Two", "Second.")
    await other.reload("")
    await other.ask("Alone", "Yes.")
    await again.store.flush()
    state = await again.store.tab(other.page.tab_id(other.request))
    assert state is not None
    assert not state.keys() & {"path", "hidden"}
    await again.close()


async def test_a_question_goes_to_the_path_that_its_page_shows(room: Room) -> None:
    """If another window has switched to another version, the question still follows the one on its
    own page."""
    visitor = await asked(room)
    await visitor.goes_to(1)
    tab = await visitor.tab
    visitor.leaf = 1
    visitor.request = visitor.opens(visitor.request.session_hash)
    assert tab.show(3)
    await visitor.ask("Three", "Third.")
    path = turn("One", "First.") + turn("Two", "Second.")
    assert visitor.sent == [*path, ("user", "Three")]
    assert words(tab.messages()) == path + turn("Three", "Third.")
    assert tab.show(3)
    assert words(tab.messages()) == turn("Uno", "Edited.")


async def test_an_answer_goes_to_the_path_it_was_asked_on(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path stays even if another version is shown while the question is on its way."""
    visitor = await asked(room)
    await visitor.goes_to(1)
    tab = await visitor.tab
    meanwhile(room, monkeypatch, lambda: tab.show(3))
    await visitor.ask("Three", "Third.")
    assert words(tab.messages()) == (
        turn("One", "First.") + turn("Two", "Second.") + turn("Three", "Third.")
    )
    assert tab.versions.is_tree
    assert tab.show(3)
    assert words(tab.messages()) == turn("Uno", "Edited.")


async def test_a_question_on_its_way_brings_back_nothing_that_was_cleared(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its page reads why there is no answer, and the reply is stopped."""
    visitor = await asked(room)
    tab = await visitor.tab
    replies = meanwhile(room, monkeypatch, lambda: tab.undo(0))
    await visitor.ask("Dos", "Segundo.")
    assert tab.messages() == []
    assert tab.versions == Versions()
    assert await was_stopped(replies)
    assert worded(ChangedMeanwhile()) in text_of(visitor.shown[-1])
    monkeypatch.undo()
    await visitor.reload()
    await visitor.ask("Dos", "Segundo.")
    assert visitor.sent == [("user", "Dos")]


@pytest.mark.parametrize("change", ["show", "undo"])
async def test_the_rest_of_an_answer_never_goes_to_another_version(
    room: Room, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """If another page switches versions or clears while the rest is asked for, everything stays as
    that page left it."""
    visitor = Known(room)
    await visitor.reload("")
    await visitor.ask("One", "First.")
    await visitor.retry()
    room.source.say(Text("Half an"), Done("max_tokens"))
    await visitor.answers("Two", visitor.shown)
    tab = await visitor.tab
    replies = meanwhile(room, monkeypatch, lambda: tab.show(0) if change == "show" else tab.undo(0))
    room.source.say(Text(" answer."), Done("end_turn"))
    *_, (messages, *_) = await frames(visitor.page.go_on(visitor.request))
    assert worded(ChangedMeanwhile()) in text_of(messages[-1])
    assert await was_stopped(replies)
    if change == "undo":
        assert tab.messages() == []
        assert tab.versions == Versions()
    else:
        assert words(tab.messages()) == turn("One", "First.")
        assert await visitor.goes_to(2) == turn("One", "Again.") + turn("Two", "Half an")


async def test_undo_takes_back_a_question_with_its_versions(room: Room) -> None:
    """Undo removes all versions of the question, and keeps those of the turns before it."""
    visitor = await asked(room)
    await visitor.goes_to(1)
    assert await visitor.undo() == "Two"
    assert choices(await visitor.tab)["choices"] == [
        {"turn": 0, "shown": 0, "questions": [0, 3], "answers": [0]}
    ]
    assert "Again." not in await visitor.kept()
    await visitor.undo()
    assert "Uno" not in await visitor.kept()
    assert (await visitor.tab).versions == Versions()


async def test_undo_takes_back_what_its_page_shows(room: Room) -> None:
    """Another window has gone to another version, which stays as it is."""
    visitor = await asked(room)
    await visitor.goes_to(1)
    tab = await visitor.tab
    visitor.leaf = 1
    visitor.request = visitor.opens(visitor.request.session_hash)
    assert tab.show(3)
    assert await visitor.undo() == "Two"
    assert words(tab.messages()) == turn("One", "First.")
    assert tab.show(3)
    assert words(tab.messages()) == turn("Uno", "Edited.")


async def test_a_thumb_belongs_to_its_version(room: Room) -> None:
    """Two answers with the same words have different names, and each keeps its own."""
    visitor = Known(room)
    await visitor.reload("")
    await visitor.ask("One", "Again.")
    first = name_of_answer(await visitor.tab, 0)
    await visitor.retry()
    second = name_of_answer(await visitor.tab, 0)
    await visitor.goes_to(0)
    assert first
    assert second
    assert first != second
    assert name_of_answer(await visitor.tab, 0) == first


async def test_a_version_that_broke_off_can_be_continued(room: Room) -> None:
    """Also after another version was shown meanwhile, and once it is whole no more."""
    visitor = Known(room)
    await visitor.reload("")
    room.source.say(Text("Half an"), Done("max_tokens"))
    visitor.shown = [message_of("user", "One"), *await visitor.answers("One", [])]
    tab = await visitor.tab
    assert tab.unfinished
    await visitor.retry()
    assert not tab.unfinished
    assert await visitor.goes_to(0) == turn("One", "Half an")
    assert tab.unfinished
    assert Versions.of(json.loads(json.dumps(tab.versions.state))).cut == (0,)
    room.source.say(Text(" answer."), Done("end_turn"))
    *_, (messages, *_) = await frames(visitor.page.go_on(visitor.request))
    assert words(messages) == turn("One", "Half an answer.")
    await visitor.goes_to(1)
    assert not tab.unfinished
    await visitor.goes_to(0)
    assert not tab.unfinished


async def test_an_attempt_that_came_to_nothing_is_no_version(room: Room) -> None:
    """A question that is asked again because there was no word in answer stands there once; one
    that was changed stays."""
    visitor = Known(room)
    await visitor.reload("")
    room.source.say(Busy())
    visitor.shown = [message_of("user", "One"), *await visitor.answers("One", [])]
    await visitor.retry()
    assert choices(await visitor.tab)["choices"] == []
    room.source.say(Busy())
    await visitor.answers("Uno", [])
    await visitor.edit(0, "Eins")
    assert len(choices(await visitor.tab)["choices"][0]["questions"]) == 3


async def test_ten_thousand_retries_take_no_more_room_than_twenty(room: Room) -> None:
    """The version shown longest ago is dropped, and a conversation has a bound for all of them."""
    tab = Tab([message_of("user", "hi"), message_of("assistant", "0")], reader="one")
    for number in range(1, 10_000):
        tab.branch([message_of("user", "hi"), message_of("assistant", str(number))])
    found = tab.versions.hidden
    assert [text_of(turn.messages[1]) for turn in found] == list(map(str, range(9_980, 9_999)))
    assert len(found) == MAX_VERSIONS - 1
    assert tab.show(found[0].number)
    assert words(tab.messages())[1] == ("assistant", "9980")


def test_hidden_words_have_a_bound() -> None:
    """Over the bound for the whole conversation, the turns shown longest ago are dropped, with
    those that follow them."""
    bounds = Bounds(size=2_500)
    tab = Tab([message_of("user", "hi")], reader="one")
    for number in range(10):
        words = message_of("assistant", str(number) * 500)
        tab.branch([message_of("user", "hi"), words], bounds=bounds)
    assert 0 < size_of(tab.messages()) + tab.versions.size <= 2_500
    assert tab.weight == tab.size + tab.versions.size
    assert [text_of(turn.messages[1])[0] for turn in tab.versions.hidden] == ["7", "8"]


def test_no_switch_and_no_edit_drops_what_it_hides() -> None:
    """Also far over the bounds a switch drops nothing, however often; an edit drops older turns
    alone."""
    tab = Tab(reader="one")
    for version in "ab":
        tab.branch([message_of("user", version)])
    for number in range(5):
        tab.branch([*tab.messages(), message_of("user", str(number) * 900)])
    long = tab.messages()
    for _ in range(2):
        assert tab.show(0)
        assert tab.show(1)
        assert tab.messages() == long
    tab.branch([message_of("user", "c")], bounds=Bounds(turns=5, size=2_000))
    assert tab.versions.path_to(0) is None
    assert tab.show(1)
    assert tab.messages() == long


def test_a_switch_drops_none_of_twenty_versions() -> None:
    """All versions of a question stay while an earlier question's other version is shown."""
    tab = Tab(reader="one")
    for version in "ab":
        tab.branch([message_of("user", version)])
    for number in range(MAX_VERSIONS):
        tab.branch([message_of("user", "b"), message_of("user", str(number))])
    tab.branch([message_of("user", "c")])
    assert tab.show(1)
    places = tab.versions.places(tab.messages())
    assert len(places[1].questions) == MAX_VERSIONS


def test_a_reader_who_cannot_come_back_keeps_no_versions() -> None:
    """Without a cookie there is no saved conversation, and no version is kept."""
    tab = Tab([message_of("user", "hi"), message_of("assistant", "0")])
    tab.branch([message_of("user", "hi"), message_of("assistant", "1")])
    assert tab.versions.hidden == ()


steps = st.lists(
    st.tuples(st.sampled_from(["ask", "show", "undo"]), st.integers(0, 6)), max_size=30
)


@given(steps=steps)
def test_every_turn_can_be_shown_as_it_was(steps: list[tuple[str, int]]) -> None:
    """After any questions, switches and undos, a turn is shown after the turns that it followed
    when it was asked, and the store returns the same."""
    tab, born = Tab(reader="one"), dict[int, list[str]]()
    for number, (step, value) in enumerate(steps):
        if step == "ask":
            kept = tab.asking(min(value, len(tab.path())), str(number))
            tab.missing = []
            tab.branch(kept)
            born[tab.path()[-1]] = [text_of(message) for message in kept]
        elif step == "undo":
            tab.undo(value)
        elif tab.show(value):
            assert [text_of(it) for it in tab.messages()][: len(born[value])] == born[value]
        assert tab.versions.along(tab.messages()).is_tree
        state = json.loads(json.dumps(tab.versions.state))
        assert Versions.of(state).hidden == tab.versions.hidden
    for hidden in tab.versions.hidden:
        assert tab.show(hidden.number)
        assert [text_of(it) for it in tab.messages()][: len(born[hidden.number])] == (
            born[hidden.number]
        )
