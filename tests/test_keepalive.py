import asyncio
from contextlib import nullcontext

import httpx2
import pytest

from streamchat import errors
from streamchat.events import Request
from streamchat.sources.claude.keepalive import Client
from streamchat.texts import worded
from tests.scripted_claude import CUT, RESET, Exchange, ScriptedClaude, end, says
from tests.test_claude import ASKED, a_claude, answer, notices, text


class Closing(ScriptedClaude):
    """A server that answers one question on each connection, and closes it when another one
    arrives."""

    def __init__(self, how: object, *, beginning: bytes = b"") -> None:
        super().__init__(says("Hello there"))
        self.how = how
        self.beginning = beginning
        self.closed = 0
        self._answered: set[asyncio.StreamWriter] = set()

    async def _answer(
        self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        if writer not in self._answered:
            self._answered.add(writer)
            return await super()._answer(exchange, reader, writer)
        self.closed += 1
        writer.write(self.beginning)
        await writer.drain()
        end(writer, reset=self.how is RESET)
        return None


@pytest.mark.parametrize("how", [RESET, CUT], ids=["reset", "closed"])
async def test_a_connection_that_was_closed_is_replaced_at_once(how: object) -> None:
    """The request is sent again without a pause, a notice or a second charge."""
    announced: list[object] = []

    async def again(conversation: object) -> None:
        announced.append(conversation)

    with Closing(how) as claude:
        async with a_claude(claude) as (source, pauses):
            replies = [await answer(source, Request(ASKED.conversation, again)) for _ in range(4)]
    assert [(text(said), error, notices(said)) for said, error in replies] == [
        ("Hello there", None, [])
    ] * 4
    assert (claude.closed, len(claude.exchanges)) == (3, 4)
    assert (pauses, announced) == ([], [])


@pytest.mark.parametrize(("at_once", "sent"), [(60.0, 2), (-1.0, 1)], ids=["at once", "later"])
async def test_a_reset_that_comes_later_is_a_failure(at_once: float, sent: int) -> None:
    """Claude may have read the request, so it is not repeated without a notice and a charge."""
    with Closing(RESET) as claude:
        async with Client(at_once=at_once) as client:
            await client.post(f"{claude.url}/v1/messages", json={"messages": []})
            with nullcontext() if sent == 2 else pytest.raises(httpx2.ConnectError):
                await client.post(f"{claude.url}/v1/messages", json={"messages": []})
    assert len(claude.exchanges) == sent


async def test_all_closed_connections_are_replaced_at_once() -> None:
    """After a pause many connections may be closed; the first question gets past all of them."""
    with Closing(CUT) as claude:
        async with a_claude(claude) as (source, pauses):
            await asyncio.gather(*(answer(source) for _ in range(5)))
            replies = [await answer(source) for _ in range(5)]
    assert [text(said) for said, _ in replies] == ["Hello there"] * 5
    assert claude.closed >= 5
    assert pauses == []


class Unkept(ScriptedClaude):
    """A Claude that answers the request about the model with `Connection: close`."""

    def _model(self) -> bytes:
        return super()._model().replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)


@pytest.mark.parametrize("how", [RESET, CUT], ids=["reset", "closed"])
async def test_a_new_connection_that_breaks_is_a_failure(how: object) -> None:
    """Claude may have worked on the request: the reader sees the retry."""
    with Unkept([b"", how], says("Hello there")) as claude:
        async with a_claude(claude) as (source, pauses):
            said, error = await answer(source)
    assert (text(said), error, len(pauses), len(notices(said))) == ("Hello there", None, 1, 1)


async def test_a_response_that_has_begun_is_not_asked_for_again_unseen() -> None:
    """After the first byte of a response, the request is not repeated without a notice."""
    with Closing(CUT, beginning=b"HTTP/1.1 200 OK\r\ncontent-type: text/ev") as claude:
        async with a_claude(claude) as (source, pauses):
            await answer(source)
            said, error = await answer(source)
    assert (text(said), error) == ("Hello there", None)
    assert (
        len(pauses),
        [worded(notice).startswith(worded(errors.Unreachable())) for notice in notices(said)],
    ) == (
        1,
        [True],
    )


async def test_the_proxies_of_the_environment_are_still_used(
    claude: ScriptedClaude, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests go to HTTP_PROXY, as with Claude's own client."""
    monkeypatch.setenv("HTTP_PROXY", claude.url)
    monkeypatch.setenv("NO_PROXY", "")
    async with a_claude(claude, ANTHROPIC_BASE_URL="http://claude.example") as (source, _):
        said, error = await answer(source)
    assert (text(said), error) == ("Hello there", None)
    assert claude.exchange(0).headers["host"] == "claude.example"
