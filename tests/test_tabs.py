import asyncio
import inspect
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.chat.asking import Chat
from streamchat.chat.parties import Sources
from streamchat.events import Done, Event, Message, Request, Text
from streamchat.replies.reply import Reply
from streamchat.store import KEPT_LOGS
from streamchat.store.database import Store
from streamchat.ui.states import state_of, tab_of
from streamchat.ui.tab import MAX_REPLIES, Tab
from streamchat.ui.tabs import Tabs
from streamchat.ui.transcript import Shown, continued, conversation, message_of, note, text_of
from tests.attacks.visitor import Room, Visitor, frames
from tests.hand import Hand, settle

THOUGHT = message_of("assistant", "Hm.") | {"metadata": {"title": "Thinking", "status": "done"}}


class ByHand:
    """A source whose replies a test speaks by hand."""

    name = "Hand"
    model = "hand"

    def __init__(self) -> None:
        self.hand = Hand()

    def stream(self, request: Request) -> AsyncGenerator[Event]:
        return self.hand.stream()

    async def open(self) -> None: ...

    async def close(self) -> None: ...


async def a_tab_that_shows(tabs: Tabs, chat: Chat, source: ByHand, tab_id: str) -> Tab:
    """A tab with a question, and a whole answer."""
    tab = await tabs.get(tab_id)
    tab.reset([message_of("user", "hi")])
    tab.start(await asked(chat))
    source.hand.say(Text("Hello"), Done("end_turn"))
    assert tab.reply
    await tab.reply.closed()
    tabs.save(tab_id, tab)
    return tab


async def asked(chat: Chat) -> Reply:
    return await chat.ask([Message("user", "hi")])


async def test_a_tab_finds_itself_again_under_a_new_id(tmp_path: Path) -> None:
    """The messages of a tab are found by the id it had, in memory and, by another process, on the
    disk."""
    source, store = ByHand(), Store(str(tmp_path))
    await store.open()
    chat = Chat(Sources(source), store, linger=60, keep=60)
    tabs = Tabs(chat, store)
    shown = (await a_tab_that_shows(tabs, chat, source, "one")).messages()
    assert (await tabs.get(await tabs.claim("one", "page"))).messages() == shown
    await store.close()
    later = Store(str(tmp_path))
    await later.open()
    tabs = Tabs(Chat(Sources(source), later, linger=60, keep=0), later)
    assert (await tabs.get(await tabs.claim("one", "page"))).messages() == shown
    await later.close()


async def test_two_pages_with_one_id_go_on_without_each_other() -> None:
    """A duplicate starts from what the tab showed and changes nothing of it."""
    source, store = ByHand(), Store("")
    chat = Chat(Sources(source), store, linger=60, keep=60)
    tabs = Tabs(chat, store)
    await a_tab_that_shows(tabs, chat, source, "one")
    first, second = [await tabs.get(await tabs.claim("one", page)) for page in ("a", "b")]
    second.undo(0)
    assert (len(first.messages()), second.messages()) == (3, [])


async def test_an_unknown_id_finds_nothing() -> None:
    """A new tab, or one with a guessed id, is empty and has an id of its own."""
    tabs = Tabs(Chat(Sources(ByHand()), Store(""), linger=60, keep=60), Store(""))
    one, other = await tabs.claim("", "a"), await tabs.claim("guessed", "b")
    assert one != other
    assert (await tabs.get(one)).messages() == (await tabs.get(other)).messages() == []


async def test_a_question_before_the_claim_is_kept() -> None:
    """A question that is asked before the page has claimed its tab belongs to that tab."""
    source, store = ByHand(), Store("")
    chat = Chat(Sources(source), store, linger=60, keep=60)
    tabs = Tabs(chat, store)
    await a_tab_that_shows(tabs, chat, source, "page")
    assert len((await tabs.get(await tabs.claim("", "page"))).messages()) == 3


async def test_many_other_tabs_take_nothing_away(tmp_path: Path) -> None:
    """A tab is found after many others came, and its running reply can be stopped."""
    source, store = ByHand(), Store(str(tmp_path))
    await store.open()
    tabs = Tabs(chat := Chat(Sources(source), store, linger=60, keep=60), store, max_tabs=2)
    shown = (await a_tab_that_shows(tabs, chat, source, "rests")).messages()
    runs = await tabs.get("runs")
    runs.start(await asked(chat))
    for number in range(5):
        await tabs.get(f"other {number}")
    assert await tabs.get("runs") is runs
    assert (await tabs.get("rests")).messages() == shown
    await chat.close()


async def test_a_page_without_a_session_shares_no_tab() -> None:
    """A tab without an id is not saved: each caller without a session gets an empty one."""
    tabs = Tabs(Chat(Sources(ByHand()), Store(""), linger=60, keep=60), Store(""))
    tab = await tabs.get("")
    tab.reset([message_of("user", "hi")])
    tabs.save("", tab)
    assert (
        (await tabs.get("")).messages()
        == (await tabs.get(await tabs.claim("", ""))).messages()
        == []
    )


async def test_a_tab_has_one_reply_at_a_time() -> None:
    """A new reply, or a new conversation, ends the tab's running reply, which could not be stopped
    any more."""
    chat = Chat(Sources(ByHand()), Store(""), linger=60, keep=60)
    tab, replies = Tab(), [await asked(chat) for _ in range(2)]
    for reply in replies:
        tab.start(reply)
    tab.reset([])
    for reply in replies:
        await asyncio.wait_for(reply.closed(), 5)


async def test_a_stop_that_comes_before_its_reply_is_not_lost() -> None:
    """A stop while the question is on its way stops its reply, and not the one after it."""
    chat = Chat(Sources(ByHand()), Store(""), linger=60, keep=60)
    tab = Tab()
    assert not tab.stop_reply()
    tab.start(unstopped := await asked(chat))
    assert not unstopped.stopping
    tab.reset([message_of("user", "hi")])
    waiting = asyncio.create_task(tab.next_reply(None))
    await settle()
    assert not tab.stop_reply()
    tab.start(reply := await asked(chat))
    await asyncio.wait_for(reply.closed(), 5)
    assert await waiting is reply
    tab.start(after := await asked(chat))
    assert not after.stopping
    await chat.close()


def test_undo_takes_back_the_last_question_and_all_after_it() -> None:
    """Undo leaves what was there before the question."""
    tab = Tab(
        [
            message_of("user", "a"),
            message_of("assistant", "b"),
            message_of("user", "c"),
            note("No."),
        ]
    )
    tab.undo(1)
    assert tab.messages() == [message_of("user", "a"), message_of("assistant", "b")]
    tab.undo(0)
    tab.undo(0)
    assert tab.messages() == []


def test_a_continuation_takes_the_place_of_the_answer_it_continues() -> None:
    """Of an answer that is continued the thoughts stay, its text grows, and the note on how it
    ended goes."""
    shown = [message_of("user", "hi"), THOUGHT, message_of("assistant", "Half"), note("Broke off.")]
    assert continued(shown) == ([message_of("user", "hi"), THOUGHT], "Half")
    assert continued([message_of("user", "hi"), THOUGHT, note("Broke off.")]) == (
        [message_of("user", "hi"), THOUGHT],
        "",
    )


messages = st.one_of(
    st.builds(message_of, st.sampled_from(["user", "assistant"]), st.text(min_size=1, max_size=4)),
    st.builds(note, st.text(max_size=4)),
    st.just(THOUGHT),
)


@given(shown=st.lists(messages, max_size=8))
def test_continuing_loses_no_word(shown: list[Shown]) -> None:
    """The messages before the continued answer and the answer's beginning are together the whole
    conversation."""
    shown = [message_of("user", "hi"), *shown]
    before, begun = continued(shown)
    assert conversation(before) + ([Message("assistant", begun)] if begun else []) == conversation(
        shown
    )


@given(text=st.text("\t a\n", max_size=12))
def test_indentation_comes_back(text: str) -> None:
    """A message is asked again with the indentation that was typed, although Gradio removes it."""
    tab = Tab([message_of("user", text), message_of("assistant", "b")])
    assert (
        tab.asking(0, inspect.cleandoc(text)) == tab.asking(0, text) == [message_of("user", text)]
    )


def test_a_message_is_sent_as_it_was_typed_last() -> None:
    """A person who types a message once more without its indentation sends it without."""
    tab = Tab([message_of("user", "  a\n  b"), message_of("assistant", "c")])
    assert tab.asking(1, "a\nb")[-1] == message_of("user", "a\nb")


def test_turns_that_are_not_kept_are_passed_over() -> None:
    """The page counts refused turns; the tab maps its numbers to the kept ones."""
    tab = Tab([message_of("user", "a"), message_of("assistant", "b")])
    tab.asking(1, "refused")
    tab.asking(2, "refused, too")
    assert tab.until(3) == tab.until(1) == tab.messages()
    tab.asking(0, "refused instead of the first")
    assert tab.until(1) == []
    assert tab.shown() == tab.until(1) == [message_of("user", "a"), message_of("assistant", "b")]


async def test_a_refusal_ends_the_wait_for_a_reply(tmp_path: Path) -> None:
    """A waiter learns at once of the next reply, or that there will be none."""
    source, store = ByHand(), Store(str(tmp_path))
    await store.open()
    tabs = Tabs(chat := Chat(Sources(source), store, linger=60, keep=60), store)
    tab = await a_tab_that_shows(tabs, chat, source, "one")
    before = tab.reply
    assert before
    for reply in (before, await asked(chat)):
        waiting = asyncio.create_task(tab.next_reply(before))
        await settle()
        assert not waiting.done()
        tab.refuse() if reply is before else tab.start(reply)
        assert await asyncio.wait_for(waiting, 5) is reply
        tab.start(before)
    await chat.close()


CONTINUABLE = [
    "stopped",
    "abandoned",
    "shutdown",
    "max_tokens",
    "pause_turn",
    "tool_use",
    "a_reason_of_tomorrow",
]
FINISHED = ["end_turn", "stop_sequence", "refusal", "model_context_window_exceeded"]


@pytest.mark.parametrize("reason", [*CONTINUABLE, *FINISHED])
async def test_the_rest_is_offered_of_every_answer_that_may_have_one(reason: str) -> None:
    """An answer can be continued after an unknown stop reason, too."""
    source = ByHand()
    chat = Chat(Sources(source), Store(""), linger=60, keep=60)
    tab = Tab([message_of("user", "hi")], reply=await asked(chat))
    source.hand.say(Text("Half an"), Done(reason))
    assert tab.reply
    await tab.reply.closed()
    assert tab.unfinished == (reason in CONTINUABLE)


async def test_the_receipt_after_continue_is_of_the_whole_answer() -> None:
    """It counts the words of all parts, also when the tab comes back from the store."""
    room = Room()
    visitor = Visitor(room)
    room.source.say(Text("one two three"), Done("max_tokens"))
    await visitor.answers("hi", [])
    room.source.say(Text(" four five"), Done("max_tokens"))
    await frames(visitor.page.go_on(visitor.request))
    room.source.say(Text(" six"), Done("end_turn"))
    *_, last = await frames(visitor.page.go_on(visitor.request))
    assert "Words: 6" in text_of(last[0][-1])
    tab = await visitor.page.tab(visitor.request)
    assert tab_of(state_of(tab), tab.reply, "").messages() == tab.messages()
    await room.close()


async def test_a_program_keeps_no_answer_of_a_session_that_is_cleared_meanwhile() -> None:
    """The program gets the whole answer; the session stays empty."""
    room = Room()
    visitor = Visitor(room)
    await visitor.ask("first")
    room.source.say(Text("Begun"))
    streaming = asyncio.create_task(frames(room.page.chat("second", visitor.request)))
    await settle()
    await visitor.undo()
    room.source.say(Text(" and ended."), Done("end_turn"))
    assert (await streaming)[-1] == "Begun and ended."
    assert (await room.page.tab(visitor.request)).messages() == []
    await room.close()


async def test_a_tab_names_a_bounded_number_of_replies(tmp_path: Path) -> None:
    """The store deletes the logs of earlier ones, so that none is left when the conversation is
    deleted."""
    source, store = ByHand(), Store(str(tmp_path))
    await store.open()
    chat = Chat(Sources(source), store, linger=60, keep=60)
    tabs = Tabs(chat, store)
    tab = await a_tab_that_shows(tabs, chat, source, "one")
    first = tab.replies[0]
    for stays, others in ((True, KEPT_LOGS - 2), (False, 1)):
        tab.replies += [f"reply {number}" for number in range(others)]
        tab.start(await asked(chat))
        tabs.save("one", tab)
        await store.flush()
        assert bool(await store.log(first)) == stays
    tab.replies *= 3
    tab.start(await asked(chat))
    assert len(tab.replies) == MAX_REPLIES
    await chat.close()
    await store.close()


async def test_a_reload_takes_no_word_of_a_long_answer_away() -> None:
    """A page that finds a long answer again while it is written shows all of it, and then only
    more."""
    room = Room()
    visitor = Visitor(room)
    room.source.say(*[Text("a word " * 2_000)] * 3)
    asking = asyncio.create_task(frames(visitor.page.answer("hi", [], visitor.request)))
    await settle()
    tab, visitor.request = visitor.page.tab_id(visitor.request), visitor.opens("second-page")
    await visitor.page.claim(tab, "", visitor.request)
    resumed = asyncio.create_task(frames(visitor.page.resume(visitor.request)))
    await settle()
    room.source.say(Text("The end."), Done("end_turn"))
    lengths = [sum(map(len, map(text_of, messages))) for messages, *_ in await resumed]
    assert lengths[0] > 42_000
    assert lengths == sorted(lengths)
    await asking
    await room.close()
