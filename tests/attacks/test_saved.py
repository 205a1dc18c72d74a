"""Attacks on saved conversations: by strangers, and by readers who ask too much."""

import asyncio
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from streamchat import events
from streamchat.chat import titles
from streamchat.saved import Rates
from streamchat.saved.export import AT_ONCE, Export, Exports, markdown_parts
from streamchat.saved.file import MAX_TITLE, Fields, SavedConversation, file_of, read
from streamchat.saved.routes import MAX_QUERY
from streamchat.saved.shelf import Saved
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.store import Store, conversations, schema
from streamchat.ui import Tabs
from tests.attacks.test_loop import Others
from tests.attacks.visitor import Room
from tests.reader import Reader

SECRET = "A zebra called Marmalade"
UNKNOWN = (404, "unknown_conversation")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANTHROPIC_API_KEY", "")
        folder = str(tmp_path_factory.mktemp("kept"))
        with create(Settings(data_dir=folder, rate_limit="off")).launch() as running:
            yield running


@pytest.fixture(scope="module")
def owner(here: Running) -> Iterator[Reader]:
    with Reader(here.url) as reader:
        yield reader


def asked(owner: Reader) -> str:
    """The id of the owner's one conversation."""
    if owner.titles() != [SECRET]:
        owner.client.delete("conversations")
        owner.asks(SECRET)
    return str(owner.items()[0]["id"])


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


CALLS: list[tuple[str, str, dict[str, str] | None]] = [
    ("GET", "", None),
    ("GET", "/export", None),
    ("GET", "/options", None),
    ("GET", "/fullness", None),
    ("POST", "/summary", None),
    ("PATCH", "", {"title": "Mine"}),
    ("DELETE", "", None),
    ("POST", "/restore", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_another_browser_does_not_learn_whether_a_conversation_exists(
    owner: Reader, thief: Reader, method: str, path: str, body: dict[str, str] | None
) -> None:
    """A stranger gets the answer for an unknown id, and changes nothing."""
    id_ = asked(owner)
    answers = [
        thief.client.request(method, f"conversations/{each}{path}", json=body)
        for each in (id_, "x" * len(id_))
    ]
    assert [code(answer) for answer in answers] == [UNKNOWN, UNKNOWN]
    assert answers[0].content == answers[1].content
    assert owner.titles() == [SECRET]


def test_another_browser_opens_nothing(owner: Reader, thief: Reader) -> None:
    """A stranger cannot open a conversation by its id, neither as a tab nor as a session."""
    id_ = asked(owner)
    assert thief.opens(id_)[1] != id_
    assert thief.opens("", page=id_)[1] != id_
    thief.asks("Mine", page="mine")
    thief.client.post("gradio_api/call/chat", json={"data": ["Mine, too"], "session_hash": id_})
    assert (owner.titles(), thief.titles(q="Marmalade")) == ([SECRET], [])
    assert owner.items()[0]["id"] == id_


def test_the_session_of_a_page_opens_nothing_for_another_browser(
    owner: Reader, thief: Reader
) -> None:
    """A stranger who knows a page's session hash opens nothing."""
    page, _ = owner.opens()
    owner.asks(SECRET, page=page)
    answer = thief.client.post(
        "gradio_api/call/chat", json={"data": ["Which xylophone?"], "session_hash": page}
    )
    thief.client.get(f"gradio_api/call/chat/{answer.json()['event_id']}")
    assert (thief.titles(), owner.titles(q="xylophone")) == ([], [])


def test_nothing_of_others_is_deleted_or_restored(owner: Reader, thief: Reader) -> None:
    """Delete all and restore affect only the reader's own conversations."""
    id_ = asked(owner)
    assert thief.client.delete("conversations").json() == {"deleted": 0}
    assert owner.client.delete(f"conversations/{id_}").status_code == 204
    assert thief.client.post("conversations/restore").json() == {"restored": 0}
    assert owner.titles() == []
    assert owner.client.post("conversations/restore").json() == {"restored": 1}
    assert owner.titles() == [SECRET]


@pytest.mark.parametrize("has_cookie", [True, False])
def test_others_cannot_write_into_a_deleted_conversation(
    owner: Reader, thief: Reader, *, has_cookie: bool
) -> None:
    """A stranger's page with the id of a deleted conversation does not write into it, and it is
    restored unchanged."""
    id_ = asked(owner)
    assert owner.client.delete(f"conversations/{id_}").status_code == 204
    if not has_cookie:
        thief.client.cookies.clear()
    call = {"data": ["Which xylophone?"], "session_hash": id_}
    event = thief.client.post("gradio_api/call/chat", json=call).json()["event_id"]
    thief.client.get(f"gradio_api/call/chat/{event}")
    assert owner.client.post(f"conversations/{id_}/restore").status_code == 200
    assert owner.client.get(f"conversations/{id_}/options").status_code == 200
    assert (owner.titles(q="marmalade"), owner.titles(q="xylophone")) == ([SECRET], [])
    assert owner.opens(id_)[1] == id_


def test_a_search_reads_texts_for_what_it_shows_alone() -> None:
    """A search reads the texts of the conversations that it shows, and a bounded number of
    characters, so that it does not delay others' writes."""
    read: list[str] = []

    def substr(text: str, _: int, most: int) -> str:
        read.append(text[:most])
        return read[-1]

    file: Any = sqlite3.connect(":memory:")
    with closing(file):
        while schema.migrate(file):
            pass
        for number in range(50):
            card = conversations.Card(
                "reader", "Letters", f"{number} a b c " + "a1 b1 c1 " * 50_000
            )
            conversations.put(file, str(number), card, b"", number)
        file.commit()
        file.create_function("substr", 3, substr)
        found = conversations.items(file, reader="reader", query="a b c", before=1e9, most=10)
    assert len(found) == 10
    assert found[0].snippet
    assert 0 < sum(map(len, read)) <= conversations.MAX_SEEN


@pytest.mark.parametrize(
    "cookie", ["", "x", "x" * 43 + "=", "x" * 44, "' OR 1=1 --", "streamchat_browser", "é" * 43]
)
def test_a_forged_cookie_reads_nothing(here: Running, cookie: str) -> None:
    """A cookie that the chat did not issue, and a missing one, read nothing."""
    headers = {b"Cookie": f"streamchat_browser={cookie}".encode()}
    with httpx.Client(base_url=here.url, headers=headers) as client:
        assert client.get("conversations").json() == {"conversations": [], "more": False}
        assert code(client.delete("conversations")) == UNKNOWN


def test_the_cookie_is_for_the_server_alone(here: Running) -> None:
    """The reader's cookie is HttpOnly and SameSite, and responses are not cached."""
    answer = httpx.get(here.url)
    assert "HttpOnly; SameSite=Lax" in answer.headers["set-cookie"]
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.cookies["streamchat_browser"]) == 43


@pytest.mark.parametrize("id_", ["x" * 65, "a.b", "%2e%2e", "a%00b", "%F0%9F%A6%93", "a%20b"])
def test_a_malformed_id_is_an_unknown_one(owner: Reader, id_: str) -> None:
    """A malformed id is refused without a query."""
    assert owner.client.get(f"conversations/{id_}").status_code == 404


HOSTILE = [
    '"', '""', "'", "*", "zebra*", "NOT", "zebra NOT marmalade", "zebra OR", "(", "title:zebra",
    "{title text}: zebra", "NEAR(zebra marmalade)", "^zebra", "-zebra", "zebra AND", "\x00",
    "zebra\x00", "zebra; DROP TABLE words", "ำ", "\u0e31\u0e34", "漢\"*", "漢" * MAX_QUERY, "\x03", "漢\x03字", "%", "_", "😀", "\ud7ff", "a" * MAX_QUERY, '"zebra',
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
def test_a_search_is_words_and_nothing_else(owner: Reader, query: str) -> None:
    """FTS5's syntax in a search is read as words, or ignored."""
    asked(owner)
    assert owner.client.get("conversations", params={"q": query}).status_code == 200
    assert owner.titles(q="marmal zeb") == [SECRET]
    assert owner.titles(q="marmalade unicorn") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"q": "a" * (MAX_QUERY + 1)}, 400),
        ({"before": "x"}, 400),
        ({"before": "nan"}, 400),
        ({"before": "-1"}, 400),
        ({"limit": "1e9"}, 400),
        ({"limit": "0"}, 200),
        ({"limit": "999999"}, 200),
        ({"before": "9" * 15}, 200),
    ],
)
def test_a_list_has_bounds(owner: Reader, query: dict[str, str], status: int) -> None:
    """The search, the start and the length of a list are bounded."""
    assert owner.client.get("conversations", params=query).status_code == status


BODIES: list[tuple[Any, int]] = [
    (b"", 400),
    (b"{", 400),
    (b"[]", 400),
    (b"[" * 15, 400),
    (b"{}", 422),
    (b'{"title": 1}', 422),
    (b'{"title": null}', 422),
    (b'{"title": ["a"]}', 422),
    (b'{"title": ""}', 422),
    (b'{"title": " \\n "}', 422),
    (b'{"title": "%s"}' % (b"a" * 121), 422),
    (b'{"title": "a", "reader": "x"}', 422),
    (b'{"title": "%s"}' % (b"a" * 5_000), 413),
    (b"[" * 1_000, 413),
]


@pytest.mark.parametrize(("body", "status"), BODIES)
def test_a_title_is_one_short_line(owner: Reader, body: bytes, status: int) -> None:
    """A title that is not one short line is refused with a sentence, and the old one stays."""
    id_ = asked(owner)
    answer = owner.client.patch(f"conversations/{id_}", content=body)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)
    assert owner.titles() == [SECRET]


def test_a_title_loses_what_is_no_text(owner: Reader) -> None:
    """Line ends, control characters and lone surrogates are removed from a title; a tag stays as
    text."""
    id_ = asked(owner)
    body = b'{"title": "<img src=x>\\n\\u0001a \\ud800 b"}'
    assert owner.client.patch(f"conversations/{id_}", content=body).status_code == 200
    assert owner.titles() == ["<img src=x> a ? b"]


@pytest.mark.parametrize(
    "header", [{"origin": "https://evil.test"}, {"sec-fetch-site": "same-site"}]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/restore"),
        ("DELETE", "/x"),
        ("PATCH", "/x"),
        ("POST", "/import"),
    ],
)
def test_no_other_sites_page_gets_in(
    owner: Reader, method: str, path: str, header: dict[str, str]
) -> None:
    """A cross-site request is refused, also with the reader's cookie."""
    asked(owner)
    body = {"title": "x"} if method == "PATCH" else None
    answer = owner.client.request(method, f"conversations{path}", headers=header, json=body)
    assert code(answer) == (403, "foreign_page")
    assert owner.titles() == [SECRET]


def test_a_visitor_who_asks_all_the_time_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes over the rate limit are refused with a Retry-After, and reads go on."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    chat = replace(create(Settings(data_dir=str(tmp_path))), rates=Rates(changes="3/minute"))
    with chat.launch() as app, Reader(app.url) as reader:
        answers = [reader.client.delete("conversations") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert reader.client.get("conversations").status_code == 200


def test_a_login_keeps_everybody_else_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a login the conversations are the user's, in whichever browser, and no cookie opens
    them."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    settings = Settings(data_dir=str(tmp_path), auth="ada:long enough")
    with create(settings).launch() as app:
        cookies = []
        for _ in range(2):
            form = {"username": "ada", "password": "long enough"}
            cookies.append(dict(httpx.post(f"{app.url}login", data=form).cookies))
        with Reader(app.url, cookies=cookies[0]) as one, Reader(app.url, cookies=cookies[1]) as two:
            id_ = one.asks(SECRET)
            assert (two.titles(), two.opens(id_)[1]) == ([SECRET], id_)
            assert "streamchat_browser" not in one.client.cookies
        for method, path in [("GET", ""), ("GET", f"/{id_}"), ("DELETE", ""), ("POST", "/restore")]:
            answer = httpx.request(
                method,
                f"{app.url}conversations{path}",
                cookies={"streamchat_browser": "x" * 43},
                auth=("ada", "long enough"),
            )
            assert code(answer) == (401, "login_required")


def large(number: int) -> list[dict[str, Any]]:
    """Conversations of 2.5 MB each."""
    words = {"role": "user", "text": '\n"a' * 500_000}
    return [{"title": f"Large {each}", "messages": [words]} for each in range(number)]


@contextmanager
def unread(url: str, cookies: httpx.Cookies, version: str = "1.1") -> Iterator[socket.socket]:
    """A connection on which only the first bytes of an export were read."""
    address = httpx.URL(url)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    lines = f"GET /conversations/export HTTP/{version}", f"Host: {address.netloc.decode()}"
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.settimeout(60)
        line.connect((address.host, address.port))
        line.sendall("\r\n".join([*lines, f"Cookie: {cookie}", "", ""]).encode())
        assert line.recv(12).endswith(b" 200")
        yield line


@pytest.fixture
def exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Reader, list[str]]]:
    """A reader, and the ids of the conversations that were read for exports."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    read: list[str] = []
    told = Saved.content

    async def counted(self: Saved, reader: str, id_: str) -> tuple[SavedConversation, float]:
        read.append(id_)
        return await told(self, reader, id_)

    monkeypatch.setattr(Saved, "content", counted)
    settings = Settings(data_dir=str(tmp_path), rate_limit="off")
    with create(settings).launch() as app, Reader(app.url) as reader:
        yield reader, read


def test_an_export_is_made_while_it_is_read(exporter: tuple[Reader, list[str]]) -> None:
    """An export that is not read holds one conversation in memory, and a visitor has two exports at
    once."""
    reader, read = exporter
    for _ in range(2):
        imported = reader.client.post("conversations/import", json=file_of(large(6)))
        assert imported.json() == {"imported": 6}
    url, cookies = str(reader.client.base_url), reader.client.cookies
    with unread(url, cookies), unread(url, cookies):
        refused = reader.client.get("conversations/export")
        assert code(refused) == (429, "too_much_at_once")
        assert int(refused.headers["retry-after"]) > 0
        assert reader.client.head("conversations/export").status_code == 200
        assert 0 < len(read) < 2 * 12
    answers = (reader.client.get("conversations/export") for _ in range(1_000))
    whole = next(answer for answer in answers if answer.status_code == 200)
    assert len(whole.json()["conversations"]) == 12


def test_an_export_that_fails_does_not_look_whole(
    exporter: tuple[Reader, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed export breaks off its transfer. Over HTTP/1.0 it has a Content-Length."""
    reader, read = exporter
    reader.client.post("conversations/import", json=file_of(large(2)))
    url, cookies = str(reader.client.base_url), reader.client.cookies
    with unread(url, cookies, "1.0") as line:
        with line.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
        assert f"content-length: {len(body)}" in head.decode().lower()
    told = Saved.content

    async def once(self: Saved, reader: str, id_: str) -> tuple[SavedConversation, float]:
        if read:
            raise RuntimeError
        return await told(self, reader, id_)

    monkeypatch.setattr(Saved, "content", once)
    read.clear()
    with pytest.raises(httpx.RemoteProtocolError):
        reader.client.get("conversations/export")


def test_an_export_without_the_disk_is_not_an_empty_one(
    exporter: tuple[Reader, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export without a working disk is an error, so that nobody keeps an empty file as a copy."""
    reader, _ = exporter

    async def fails(*_: object) -> None: ...

    monkeypatch.setattr(Saved, "_run", fails)
    assert code(reader.client.get("conversations/export")) == (500, "internal")


def test_an_export_goes_on_without_what_is_deleted_meanwhile(
    exporter: tuple[Reader, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export leaves out conversations that are deleted during it."""
    reader, _ = exporter
    reader.client.post("conversations/import", json=file_of(large(2)))
    ids, asked = Saved.ids, []

    async def with_one_more(self: Saved, reader: str) -> list[str]:
        asked.append(reader)
        return ["gone"] * (len(asked) == 1) + await ids(self, reader)

    monkeypatch.setattr(Saved, "ids", with_one_more)
    found = reader.client.get("conversations/export").json()["conversations"]
    assert [each["title"] for each in found] == ["Large 0", "Large 1"]


async def test_an_export_ends_after_its_time() -> None:
    """An export that is read too slowly is cut off, and does not look whole."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    exports = Exports(longest=0)
    parts = partial(markdown_parts, SavedConversation("t", [events.Message("user", "a" * 100_000)]))
    scope = {"type": "http", "method": "GET", "http_version": "1.1", "asgi": {}}
    await Export(parts, exports, "visitor", kind="md")(scope, receive, send)
    assert {"type": "http.response.body"} not in sent
    for _ in range(AT_ONCE):
        exports.admit("visitor")


async def test_an_import_leaves_turns_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import saves one conversation at a time, and cleans only the beginning of a long title."""
    cleaned: list[str] = []

    def one_line(text: str) -> str:
        cleaned.append(text)
        return text

    monkeypatch.setattr(titles, "one_line", one_line)
    words = [{"role": "user", "text": "a"}]
    found = read(file_of([{"title": "é" * 1_200, "messages": words}] * 100))
    assert {len(each) for each in cleaned} == {2 * MAX_TITLE}
    room = Room()
    store = Store("")
    others = Others()
    await Saved(Tabs(room.chat, store), store).add("reader", "visitor", found)
    others.stop()
    assert others.turns >= 100
    await room.close()


def test_a_file_is_checked_beside_the_event_loop(
    exporter: tuple[Reader, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An imported file is parsed in a thread."""
    reader, _ = exporter
    loops: list[object] = []

    def elsewhere(fields: Fields) -> list[SavedConversation]:
        with suppress(RuntimeError):
            loops.append(asyncio.get_running_loop())
        return read(fields)

    monkeypatch.setattr("streamchat.saved.file.read", elsewhere)
    answer = reader.client.post("conversations/import", json=file_of(large(1)))
    assert (answer.json(), loops) == ({"imported": 1}, [])
