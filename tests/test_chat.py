from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.chat.asking import Chat
from streamchat.chat.conversation import checked
from streamchat.chat.parties import Sources
from streamchat.errors import EmptyMessage, TooLong, UnknownReply
from streamchat.events import Done, Event, Message, Request, Text
from streamchat.replies.reply import Reply
from streamchat.store.database import Store

HI = Message("user", "hi")


class Echo:
    """A source that repeats its question, and waits for ever if asked to."""

    name = "echo"
    model = "echo"

    def __init__(self) -> None:
        self.closed = False

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        yield Text(request.conversation[-1].text)
        yield Done("end_turn")

    async def open(self) -> None: ...

    async def close(self) -> None:
        self.closed = True


def how_it_ended(reply: Reply) -> str:
    assert isinstance(reply.ending, Done)
    return reply.ending.reason


async def test_a_running_reply_can_be_found_and_stopped_by_its_id() -> None:
    """A person who holds the id of a reply can find it and stop it."""
    chat = Chat(Sources(Echo()), Store(""), linger=60, keep=3600)
    reply = await chat.ask([HI])
    assert (await chat.resume(reply.id)) is reply
    await chat.stop(reply.id)
    await reply.ended.wait()
    assert how_it_ended(reply) == "stopped"


async def test_an_unknown_id_is_refused() -> None:
    """A guessed id finds nothing."""
    with pytest.raises(UnknownReply):
        await Chat(Sources(Echo()), Store(""), linger=60, keep=3600).resume("guessed")


async def test_closing_stops_every_reply_with_its_reason_and_then_the_source() -> None:
    """Readers learn that their reply ended because the server did."""
    source = Echo()
    chat = Chat(Sources(source), Store(""), linger=60, keep=3600)
    replies = [await chat.ask([HI]) for _ in range(3)]
    await chat.close()
    assert [how_it_ended(reply) for reply in replies] == ["shutdown"] * 3
    assert source.closed


async def test_a_reply_that_ended_can_be_read_again_and_stopping_it_is_no_error() -> None:
    """An ended reply is found by its id for a while, does not count as running, and can be stopped
    without effect."""
    chat = Chat(Sources(Echo()), Store(""), linger=60, keep=3600)
    reply = await chat.ask([HI])
    assert chat.running == 1
    await reply.closed()
    assert chat.running == 0
    await chat.stop(reply.id)
    assert how_it_ended(await chat.resume(reply.id)) == "end_turn"


async def test_a_continued_answer_is_sent_along() -> None:
    """A conversation that ends with the assistant's words goes to the source unchanged: it asks for
    the rest."""
    reply = await Chat(Sources(Echo()), Store(""), linger=60, keep=3600).ask(
        [HI, Message("assistant", "Well, ")]
    )
    await reply.ended.wait()
    assert reply.text == "Well, "


@pytest.mark.parametrize(
    "messages",
    [[], [Message("user", " \n")], [HI, Message("user", "")], [Message("assistant", "yes?")]],
)
def test_without_a_question_there_is_no_answer(messages: list[Message]) -> None:
    """An empty or blank message is refused before anything is spent."""
    with pytest.raises(EmptyMessage):
        checked(messages)


def test_a_conversation_no_model_could_take_is_refused() -> None:
    """A conversation beyond every model's context is refused before it is sent and paid for."""
    assert checked([Message("user", "abc")], most=3)
    with pytest.raises(TooLong):
        checked([Message("user", "abcd")], most=3)


def test_a_question_stopped_before_its_first_word_is_asked_along_with_the_next() -> None:
    """A stop before the first word leaves no empty turn: both questions become one turn."""
    turns = checked([HI, Message("assistant", ""), Message("user", "still there?")])
    assert turns == (Message("user", "hi\n\nstill there?"),)


messages = st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(" ab\n", max_size=3))


@given(history=st.lists(messages, max_size=8))
def test_claude_gets_alternating_turns_from_any_history(history: list[Message]) -> None:
    """Any history of a page becomes turns that alternate, begin and end with the user, and lose no
    word."""
    turns = checked([*history, HI])
    assert [turn.role for turn in turns] == ["user", "assistant"] * (len(turns) // 2) + ["user"]
    assert all(turn.text.strip() for turn in turns)
    said_by_users = [
        message.text for message in history if message.role == "user" and message.text.strip()
    ]
    assert all(any(said in turn.text for turn in turns) for said in said_by_users)
