import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamchat.api.routes import PATH
from streamchat.api.schema import EXAMPLES
from streamchat.events import Done, Text
from streamchat.texts import text
from tests.files import unhurried
from tests.served import Served, served

JSON = {"content-type": "application/json"}


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served(files=unhurried()) as api:
        yield api


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
async def test_the_documented_bodies_are_answered(api: Served, example: dict[str, Any]) -> None:
    """A message or a whole conversation reaches the source unchanged."""
    api.source.say(Text("a"), Done("end_turn"))
    assert (await api.client.post(PATH, json=example["value"])).status_code == 200
    sent = example["value"].get("messages") or [
        {"role": "user", "content": example["value"]["message"]}
    ]
    (asked,) = api.source.asked
    assert [(each.role, each.text) for each in asked] == [
        (turn["role"], words(turn["content"])) for turn in sent
    ]
    names = {file.name for message in asked for file in message.files}
    assert names == ({"File 1", "main.py"} if example is EXAMPLES["files"] else set())


def words(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else content[-1]["text"]


WRONG = {
    "no JSON": (b"hi", 400, "not_json"),
    "nothing": (b"", 400, "not_json"),
    "not UTF-8": (b'{"message": "\xff"}', 400, "not_json"),
    "half a character": (rb'{"message": "\ud83d"}', 400, "not_json"),
    "brackets": (b"[" * 50_000, 400, "not_json"),
    "brackets without end": (b"[" * 100_000, 413, "too_long"),
    "no object": (b'"hi"', 422, "wrong_shape"),
    "neither": (b"{}", 422, "wrong_shape"),
    "both": (b'{"message": "hi", "messages": []}', 422, "wrong_shape"),
    "a typing error": (b'{"mesage": "hi"}', 422, "wrong_shape"),
    "a number": (b'{"message": 5}', 422, "wrong_shape"),
    "an unknown role": (b'{"messages": [{"role": "system", "content": "hi"}]}', 422, "wrong_shape"),
    "no text": (b'{"messages": [{"role": "user"}]}', 422, "wrong_shape"),
    "many mistakes": (b'{"messages": [' + b"1," * 50_000 + b"1]}", 422, "wrong_shape"),
    "a million mistakes": (b'{"messages": [' + b"1," * 1_000_000 + b"1]}", 413, "too_long"),
    "many fields": (
        b"{" + b",".join(b'"%d": 1' % n for n in range(25_000)) + b"}",
        422,
        "wrong_shape",
    ),
    "a million fields": (
        b"{" + b",".join(b'"%d": 1' % n for n in range(100_000)) + b"}",
        413,
        "too_long",
    ),
    "turns without end": (
        b'{"messages": [' + b'{"role": "user", "content": "hi"},' * 10_000 + b"1]}",
        422,
        "wrong_shape",
    ),
    "blanks": (b'{"message": " "}', 400, "empty_message"),
    "no messages": (b'{"messages": []}', 400, "empty_message"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_an_invalid_body_is_refused_with_its_fault(api: Served, name: str) -> None:
    """Nothing is started, and the answer has a status, a code and a sentence."""
    body, status, code = WRONG[name]
    answer = await api.client.post(PATH, content=body, headers=JSON)
    assert (answer.status_code, answer.json().keys()) == (status, {"code", "message"})
    assert answer.json()["code"] == code
    assert api.source.asked == []


async def test_the_sentence_names_the_place(api: Served) -> None:
    """The sentence says where the shape is wrong, and what is right."""
    answer = await api.client.post(PATH, json={"messages": [{"role": "bot", "content": "hi"}]})
    reason = "Input should be 'user' or 'assistant'"
    assert answer.json()["message"] == text("wrong_shape", place="messages.0.role", reason=reason)


async def test_the_sentence_shows_the_right_shape(api: Served) -> None:
    """A body with neither field, or both, is answered with an example."""
    for body in ({}, {"message": "hi", "messages": []}):
        message = (await api.client.post(PATH, json=body)).json()["message"]
        assert message.startswith("The body: either message or messages is needed. Send {")


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
)
async def test_only_json_is_a_question(api: Served, content_type: str | None) -> None:
    """Content types that a form on another site can send without a preflight are refused unread."""
    headers = {"content-type": content_type} if content_type else {}
    answer = await api.client.post(PATH, content=b'{"message": "hi"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")


async def test_json_may_name_its_charset(api: Served) -> None:
    """Parameters and capitals in the content type are accepted."""
    api.source.say(Done("end_turn"))
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert (
        await api.client.post(PATH, content=b'{"message": "hi"}', headers=headers)
    ).status_code == 200


async def test_a_body_that_is_announced_as_too_large_is_not_read_at_all(api: Served) -> None:
    """A client that sends `Expect`, such as curl, gets the refusal first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(
        f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n".encode()
    )
    writer.write(b"content-length: 32000001\r\nexpect: 100-continue\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_client_that_leaves_while_asking_leaves_no_trace(
    api: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """An incomplete body logs no error."""
    _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\n".encode())
    writer.write(b'content-type: application/json\r\ncontent-length: 17\r\n\r\n{"mess')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await api.client.get("/api/health")).status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
