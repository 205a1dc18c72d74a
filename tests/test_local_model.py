"""The example of another source, in front of a scripted OpenAI-compatible server."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

import streamchat
from examples.local_model import LocalModel
from streamchat import Done, Event, Message, Request, Settings, SourceFailed, Text
from streamchat.texts import worded
from tests.scripted_claude import CUT, Hold, ScriptedClaude, refuses, streams
from tests.test_sources import first_word, heard, listen, text

ASKED = Request((Message("user", "Why is the sky blue?"),))
ANSWERED = 'data: {"choices": [{"delta": {}, "finish_reason": "%s"}]}\n\n'
USED = b'data: {"choices": [], "usage": {"total_tokens": 7}}\n\n'
END = b"data: [DONE]\n\n"


def piece(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n".encode()


def ends(reason: str = "stop") -> bytes:
    return (ANSWERED % reason).encode() + USED + END


@pytest.fixture
def server() -> Iterator[ScriptedClaude]:
    """A scripted server for any route."""
    with ScriptedClaude() as scripted:
        yield scripted


@pytest.fixture
async def model(server: ScriptedClaude) -> AsyncIterator[LocalModel]:
    source = LocalModel(f"{server.url}/v1", "tiny")
    yield source
    await source.close()


async def test_a_local_model_streams(server: ScriptedClaude, model: LocalModel) -> None:
    """Words arrive piece by piece, and the end has the model's own reason."""
    words = ["Because ", "", "of Rayleigh.\u2028\n", "\x85 🙂"]
    server.play(streams(b": hello\n\n", *map(piece, words), ends()))
    events = await heard(model.stream(ASKED))
    assert events == [*(Text(word) for word in words if word), Done("end_turn")]
    body = server.exchange(0).body
    assert body["messages"] == [{"role": "user", "content": "Why is the sky blue?"}]
    assert (body["model"], body["stream"]) == ("tiny", True)


async def test_it_says_that_its_length_ended_it(server: ScriptedClaude, model: LocalModel) -> None:
    """An answer at its maximum length can be continued."""
    server.play(streams(piece("Because"), ends("length")))
    assert (await heard(model.stream(ASKED)))[-1] == Done("max_tokens")


async def test_a_stop_closes_its_connection(server: ScriptedClaude, model: LocalModel) -> None:
    """A stop closes the connection, so that the model writes no more."""
    server.play(streams(piece("Because"), Hold()))
    events = model.stream(ASKED)
    assert (await first_word(events)).text == "Because"
    await events.aclose()
    assert await asyncio.to_thread(server.exchange(0).gone.wait, 10)


FAILURES = {
    "refused": refuses(404, "not_found_error", "model 'tiny' not found"),
    "no stream": [
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
        None,
    ],
    "an error in the stream": streams(piece("Half"), b'data: {"error": {"message": "no"}}\n\n'),
    "no JSON": streams(piece("Half"), b"data: {\n\n"),
    "another shape": streams(piece("Half"), b'data: {"choices": [{"delta": null}]}\n\n'),
    "a cut": streams(piece("Half"), CUT),
    "an end without a reason": streams(piece("Half"), END),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_its_failures_have_a_sentence(
    server: ScriptedClaude, model: LocalModel, name: str
) -> None:
    """After any failure the text stays, the reader gets a sentence, and the next question is
    answered."""
    server.play(FAILURES[name], streams(piece("Whole"), ends()))
    said: list[Event] = []
    with pytest.raises(SourceFailed) as caught:
        await listen(model.stream(ASKED), said)
    assert worded(caught.value).startswith("The local model ")
    assert text(said) == ("" if name in ("refused", "no stream") else "Half")
    assert text(await heard(model.stream(ASKED))) == "Whole"


async def test_nothing_listens_there() -> None:
    """The sentence says that the model is not running."""
    source = LocalModel("http://127.0.0.1:9/v1", "tiny")
    with pytest.raises(SourceFailed) as caught:
        await heard(source.stream(ASKED))
    assert worded(caught.value).endswith("Is it running?")
    await source.close()


@asynccontextmanager
async def a_chat(source: streamchat.Source) -> AsyncIterator[httpx.AsyncClient]:
    app = streamchat.create(Settings(data_dir=""), source=source)
    running = await asyncio.to_thread(app.launch)
    try:
        async with httpx.AsyncClient(base_url=running.url, timeout=30) as client:
            yield client
    finally:
        await asyncio.to_thread(running.close)


async def test_a_chat_with_another_source(
    server: ScriptedClaude, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`create` serves the page and the API before another source, whatever the settings say of
    Claude. It costs nothing, and its failures are told in its own sentence."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-owner")
    monkeypatch.setenv("STREAMCHAT_DAILY_BUDGET_USD", "0")
    server.play(streams(piece("Because"), ends()), refuses(500, "api_error"))
    async with a_chat(LocalModel(f"{server.url}/v1", "tiny")) as chat:
        ask = {"message": "Why?"}
        assert (await chat.get("/")).status_code == 200
        assert (await chat.post("/api/streaming-chat", json=ask)).text == "Because"
        failed = await chat.post("/api/streaming-chat", json=ask)
        health = (await chat.get("/api/health")).json()
    assert (failed.status_code, failed.json()["code"]) == (502, "source_failed")
    assert failed.json()["message"] == "The local model does not answer. Is it running?"
    assert health["source"] == "The local model"
    assert len(server.exchanges) == 2
    assert all("x-api-key" not in exchange.headers for exchange in server.exchanges)
