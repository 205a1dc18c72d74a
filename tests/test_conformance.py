"""The routes follow RFC 9110 and their own description."""

import asyncio
import gzip
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from streamchat.api.routes import PATH
from streamchat.errors import Busy
from streamchat.events import Done, Event, Request, Text
from tests.served import EVENTS, HI, Served, Source, served

END = Done("end_turn")
HEALTH = "/api/health"


@pytest.fixture
async def api() -> AsyncIterator[Served]:
    async with served() as api:
        yield api


class Echo(Source):
    """Repeats the question."""

    def stream(self, request: Request) -> AsyncGenerator[Event]:  # type: ignore[override]
        return echo(request.conversation[-1].text)


async def echo(text: str) -> AsyncGenerator[Event]:
    yield Text(text)
    yield END


# what is deleted is stopped, and can still be read; and which positions there are, no schema can
# say
MEANT = "use_after_free,positive_data_acceptance"
# a body with too many values is refused before anybody looks at its shape
REFUSED = """[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "413", "415", "422", "429", "5xx"]
"""


@pytest.mark.process
async def test_the_routes_are_as_they_are_described(tmp_path: Path) -> None:
    """Hundreds of requests, valid and invalid, get the statuses, headers and bodies that
    /openapi.json promises."""
    async with served(source=Echo()) as api:
        (tmp_path / "schemathesis.toml").write_text(REFUSED, "utf-8")
        description = f"http://127.0.0.1:{api.port}/openapi.json"
        arguments = [
            "--exclude-checks",
            MEANT,
            "--max-examples",
            "10",
            "--generation-deterministic",
            "--no-color",
        ]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", description, *arguments),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", f"{PATH}/x", "DELETE, GET, HEAD"),
        ("POST", f"{PATH}/x", "DELETE, GET, HEAD"),
        ("GET", PATH, "POST"),
        ("HEAD", PATH, "POST"),
        ("OPTIONS", HEALTH, "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_all_right_ones(
    api: Served, method: str, path: str, allowed: str
) -> None:
    """`Allow` names every method of the address; the body is JSON."""
    answer = await api.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert method == "HEAD" or answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nosuch", "/api/health/", f"{PATH}/", f"{PATH}/a/b"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH", "PROPFIND"])
async def test_an_unknown_address_is_answered_in_json(api: Served, method: str, path: str) -> None:
    """A 404 has a code for programs and a sentence for people."""
    answer = await api.client.request(method, path)
    assert answer.status_code == 404
    assert answer.json().keys() == {"code", "message"}
    assert answer.headers["cache-control"] == "no-store"


async def test_head_of_an_ended_reply_is_get_without_a_body(api: Served) -> None:
    """HEAD has GET's status and headers, in both forms, also at the log's end, for an unknown reply
    and for a failure."""
    location = await api.ask(Text("a"), END)
    failed = await api.ask(Busy(retry_after=4.2))
    for path in (
        location,
        f"{location}?after=2",
        f"{location}?after=9",
        f"{PATH}/x",
        failed,
        HEALTH,
    ):
        for headers in ({}, EVENTS):
            get, head = [
                await api.client.request(method, path, headers=headers)
                for method in ("GET", "HEAD")
            ]
            ours = {
                name: value
                for name, value in get.headers.items()
                if name not in ("date", "transfer-encoding")
            }
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert {name: head.headers.get(name) for name in ours} == ours


async def test_head_of_a_running_reply_waits_for_nothing(api: Served) -> None:
    """HEAD is answered before the first word, and does not count as a reader."""
    location = await api.ask()
    for headers, kind in (({}, "text/plain"), (EVENTS, "text/event-stream")):
        answer = await api.client.head(location, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["location"] == location


ACCEPTED = {
    "text/event-stream;q=0, text/plain": "text/plain",
    "Text/Event-Stream": "text/event-stream",
    "text/plain;q=0.5, text/event-stream;q=0.4": "text/plain",
    "text/event-stream, */*": "text/event-stream",
    "*/*": "text/plain",
    "text/*": "text/plain",
    "application/json, text/event-stream": "text/event-stream",
    "application/json": "text/plain",
    "text/plain;title=\"text/event-stream\"": "text/plain",
}  # fmt: skip


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_the_form_is_the_one_that_is_preferred(api: Served, accept: str) -> None:
    """The form follows the qualities in `Accept`, in any case; text is the default, and `Vary`
    names the header."""
    location = await api.ask(Text("a"), END)
    answer = await api.client.get(location, headers={"accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == ACCEPTED[accept]
    assert answer.headers["vary"] == "Accept"


async def test_all_accept_lines_count(api: Served) -> None:
    """The header may stand on several lines."""
    location = await api.ask(Text("a"), END)
    headers = [("accept", "text/plain;q=0.1"), ("accept", "text/event-stream")]
    answer = await api.client.get(location, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_no_cache_keeps_anything(api: Served) -> None:
    """Replies, endings, failures and health are marked as not to be stored."""
    location = await api.ask(Text("a"), END)
    answers = [
        await api.client.post(PATH, json=[]),
        await api.client.get(location),
        await api.client.get(f"{location}?after=2", headers=EVENTS),
        await api.client.get(f"{location}?after=9"),
        await api.client.get(f"{PATH}/x"),
        await api.client.get(await api.ask(Busy())),
        await api.client.get(HEALTH),
    ]
    assert [answer.status_code for answer in answers] == [422, 200, 204, 400, 404, 503, 200]
    assert all("no-store" in answer.headers["cache-control"] for answer in answers)


async def test_an_empty_last_event_id_is_none(api: Served) -> None:
    """An empty `Last-Event-ID` is ignored: browsers send it before they have read an event with an
    id."""
    location = await api.ask(Text("a"), Text("b"), END)
    assert (await api.client.get(location, headers={"last-event-id": ""})).text == "ab"
    assert (await api.client.get(f"{location}?after=1", headers={"last-event-id": ""})).text == "b"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate, gzip"])
async def test_a_compressed_body_is_refused(api: Served, coding: str) -> None:
    """The refusal's `Accept-Encoding` says that only plain bodies are read (RFC 7694)."""
    headers = {"content-type": "application/json", "content-encoding": coding}
    answer = await api.client.post(
        PATH, content=gzip.compress(json.dumps(HI).encode()), headers=headers
    )
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")
    assert api.source.asked == []


async def test_the_description_closes_its_objects(api: Served) -> None:
    """Unknown fields are refused, and the description says so; a position has its pattern."""
    paths = (await api.client.get("/openapi.json")).json()["paths"]
    message, messages = paths[PATH]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "oneOf"
    ]
    closed = [message, messages, messages["properties"]["messages"]["items"]]
    assert [schema["additionalProperties"] for schema in closed] == [False] * 3
    parameters = {
        it["name"]: it["schema"] for it in paths[f"{PATH}/{{reply_id}}"]["get"]["parameters"]
    }
    assert parameters["after"]["pattern"] == "^[0-9]{1,9}$"
    for body in (
        {"message": "hi", "more": 1},
        {"messages": [{"role": "user", "content": "hi", "more": 1}]},
    ):
        assert (await api.client.post(PATH, json=body)).status_code == 422
