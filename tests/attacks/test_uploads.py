"""Attacks on files of the page: by strangers, and by readers who send too much."""

import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import create_connection

import httpx
import pytest
from pydantic import SecretStr

from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.store import NAME
from streamchat.uploads.routes import UPLOADS
from tests.files import bomb, locked, pdf, picture, zipped
from tests.reader import Reader

# the server checks a file in a process of its own
pytestmark = pytest.mark.process

UNKNOWN = (404, "unknown_file")
OCTETS = {"content-type": "application/octet-stream"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def here(folder: Path) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANTHROPIC_API_KEY", "")
        settings = Settings(data_dir=str(folder), rate_limit="off", file_mb=1, files_mb=2)
        with create(settings).launch() as running:
            yield running


@pytest.fixture
def owner(here: Running) -> Iterator[Reader]:
    with Reader(here.url) as reader:
        yield reader


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_file_is_its_readers_alone(owner: Reader, thief: Reader) -> None:
    """A stranger cannot read another's file by its hash: by its address, in a conversation's list,
    or in a question."""
    secret = owner.adds(picture(size=(33, 44))).json()["id"]
    id_, _ = owner.hears("?", files=[secret])
    for digest in (secret, "0" * 64):
        assert code(thief.client.get(f"files/{digest}")) == UNKNOWN
        assert "There is no such file here" in thief.hears("?", files=[digest])[1]
    for conversation in (id_, "x" * len(id_)):
        answer = thief.client.get(f"conversations/{conversation}/files")
        assert code(answer) == (404, "unknown_conversation")
    assert owner.client.get(f"files/{secret}").status_code == 200


def test_the_same_file_of_another_does_not_show(owner: Reader, thief: Reader) -> None:
    """A visitor cannot find out that another visitor has sent the same file."""
    data = picture(size=(55, 66))
    ids = [each.adds(data).json()["id"] for each in (owner, thief)]
    assert ids[0] == ids[1]
    assert {each.client.get(f"files/{ids[0]}").status_code for each in (owner, thief)} == {200}


@pytest.mark.parametrize(
    "name",
    ["", "x", "A" * 64, "0" * 63, "0" * 65, "..%2f..%2fetc%2fpasswd", "0" * 64 + "/x"],
)
def test_only_a_digest_is_looked_for(owner: Reader, name: str) -> None:
    """Only a SHA-256 digest is looked up; other ids become no path and no pattern."""
    answer = owner.client.get(f"files/{name}")
    assert answer.status_code in (404, 405)
    assert b"root:" not in answer.content


@pytest.mark.parametrize("given", ["x", "../../etc/passwd", "0" * 64, ("0" * 64 + ",") * 500, "é"])
def test_a_forged_name_in_a_question_reads_nothing(owner: Reader, given: str) -> None:
    """A header that names no file of the reader is refused or ignored."""
    page, _ = owner.opens()
    call = {"data": ["hi"], "session_hash": page}
    headers = [(b"x-files", given.encode("utf-8"))]
    posted = owner.client.post("gradio_api/call/chat", json=call, headers=headers)
    said = owner.client.get(f"gradio_api/call/chat/{posted.json()['event_id']}").text
    assert "root:" not in said


def test_without_a_cookie_there_are_no_files(here: Running) -> None:
    """Without a reader's cookie no file is kept."""
    answer = httpx.post(f"{here.url}files", content=picture(), headers=OCTETS)
    assert code(answer) == (403, "no_reader")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""],
)
def test_a_form_of_another_site_sends_no_file(owner: Reader, kind: str) -> None:
    """A Content-Type that a form can send cross-site is refused."""
    answer = owner.adds(picture(), **{"content-type": kind})
    assert code(answer) == (415, "not_octets")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"host": "evil.example"},
    ],
)
def test_another_site_sends_and_reads_no_file(owner: Reader, headers: dict[str, str]) -> None:
    """A cross-site request and a rebound host are refused, also with the reader's cookie."""
    assert owner.adds(picture(), **headers).status_code in (403, 421)


def test_a_file_that_is_too_large_is_not_read(owner: Reader) -> None:
    """A file over the bound is refused, with a Content-Length or chunked."""
    most = 1_000_000
    assert code(owner.adds(b"a" * (most + 1))) == (413, "too_long")

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"a" * 10_000

    answer = owner.client.post("files?name=x", content=endless(), headers=OCTETS)
    assert code(answer) == (413, "too_long")
    assert owner.adds(b"a" * most, "a.txt").status_code == 201


BAD = {
    "empty": (b"", "file_empty"),
    "100 megapixels": (bomb(), "file_pixels"),
    "locked": (locked(), "pdf_locked"),
    "Office": (zipped("[Content_Types].xml", "word/document.xml"), "file_office"),
    "zeros": (b"\0" * 100, "file_kind"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_leaves_nothing(owner: Reader, folder: Path, name: str) -> None:
    """A bad file is refused by its name, and nothing of it is stored."""
    before = rows(folder)
    data, refusal = BAD[name]
    answer = owner.adds(data, "\u202efile\n.bin")
    assert code(answer) == (422, refusal)
    assert "“file .bin”" in answer.json()["message"]
    assert rows(folder) == before


def test_a_link_opens_pictures_alone(owner: Reader, thief: Reader) -> None:
    """Others are named; nothing opens by another link, with words that look like a file, or when
    the link is withdrawn or its conversation deleted."""
    red = owner.adds(picture(size=(31, 41)), "<b>.png").json()["id"]
    paper = owner.adds(pdf("Rivers"), "<i>.pdf").json()["id"]
    id_, _ = owner.hears(f'"id": "{paper}"', files=[red, paper])
    other = owner.asks(f'"id": "{red}"')
    urls = {each: owner.shares(each) for each in (id_, other)}
    page = thief.client.get(urls[id_]).text
    assert f'<img src="{urls[id_].removeprefix("shared/")}/{red}" alt="&lt;b&gt;.png"' in page
    assert "&lt;i&gt;.pdf</span>" in page
    assert "PDF, 1 page, 549 bytes" in page
    shown = thief.client.get(f"{urls[id_]}/{red}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in shown.headers["cache-control"]
    closed = [f"{urls[id_]}/{paper}", f"{urls[other]}/{red}", f"shared/x/{red}", f"files/{red}"]
    assert {thief.client.get(path).status_code for path in closed} == {404}
    owner.client.delete(f"conversations/{id_}/share")
    assert code(thief.client.get(f"{urls[id_]}/{red}")) == UNKNOWN
    again = owner.shares(id_)
    assert thief.client.get(f"{again}/{red}").status_code == 200
    owner.client.delete(f"conversations/{id_}")
    assert code(thief.client.get(f"{again}/{red}")) == UNKNOWN


def test_what_an_import_claims_to_be_a_file_is_checked(
    owner: Reader, thief: Reader, folder: Path
) -> None:
    """A bad file, and one that another reader has, are left out with a sentence each, and leave
    nothing; the rest of the conversation is there."""
    secret = owner.adds(picture(size=(77, 88))).json()["id"]
    before = rows(folder)
    bad = {f"{number:064x}": data for number, (data, _) in enumerate(BAD.values())}
    wanted = [{"id": id_, "name": "\u202ea/../b.bin"} for id_ in (*bad, secret)]
    file = {
        "format": "streamchat-conversations",
        "version": 1,
        "conversations": [{"title": "t", "messages": [question("", wanted), question("hi", [])]}],
        "files": {id_: carried(data) for id_, data in bad.items()},
    }
    answer = thief.client.post("conversations/import", json=file).json()
    assert (answer["imported"], len(answer["left_out"])) == (1, len(wanted))
    assert all("“b.bin”" in sentence for sentence in answer["left_out"])
    assert rows(folder) == before
    assert thief.client.get(f"files/{secret}").status_code == 404
    (shown,) = thief.client.get("conversations/export").json()["conversations"]
    assert "files" not in shown["messages"][0]


def question(text: str, files: list[dict[str, str]]) -> dict[str, object]:
    return {"role": "user", "text": text, "files": files}


def carried(data: bytes) -> dict[str, str]:
    return {"name": "b.bin", "media_type": "", "data": b64encode(data).decode()}


NO_EXPORTS: list[dict[str, object]] = [
    {"files": []},
    {"files": {"0" * 64: "x"}},
    {"files": {"0" * 64: {"name": 1, "media_type": "", "data": ""}}},
    {"conversations": [{"title": "t", "messages": [question("a", [{"id": "../x", "name": "x"}])]}]},
    {"conversations": [{"title": "t", "messages": [question("a", [{}])]}]},
    {"conversations": [{"title": "t", "messages": [{**question("a", []), "files": "x"}]}]},
]


@pytest.mark.parametrize("part", NO_EXPORTS, ids=str)
def test_files_that_no_export_has_are_refused(owner: Reader, part: dict[str, object]) -> None:
    """Forged ids and shapes refuse the whole file."""
    whole = {"format": "streamchat-conversations", "version": 1, "conversations": []}
    assert owner.client.post("conversations/import", json=whole | part).status_code == 422


def test_an_upload_that_is_broken_off_leaves_nothing(owner: Reader, folder: Path) -> None:
    """In the middle of the file, or while it is checked; the next one is taken."""
    data, before = picture(size=(6_000, 6_000)), rows(folder)
    client = owner.client
    for sent in (data[: len(data) // 2], data):
        request = client.build_request("POST", "files?name=x", content=data, headers=OCTETS)
        fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        with create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
            connection.sendall(f"POST /files?name=x HTTP/1.1\r\n{fields}\r\n".encode() + sent)
    # one of a visitor is checked at a time, so that it comes after the others
    assert owner.adds(b"the last one", "last.txt").status_code == 201
    assert rows(folder) == before + 1


def rows(folder: Path) -> int:
    with closing(sqlite3.connect(folder / NAME, timeout=20)) as file:
        return int(file.execute("SELECT COUNT(*) FROM files").fetchone()[0])


def test_more_files_than_a_conversation_may_have_are_refused_in_words(owner: Reader) -> None:
    """The page shows the bound on bytes or on the number of files."""
    ids = [
        owner.adds(f"{number}".encode() * 900_000, f"{number}.txt").json()["id"]
        for number in range(3)
    ]
    assert "have more than 2 MB" in owner.hears("?", files=ids)[1]
    many = [owner.adds(f"{number}".encode(), "a.txt").json()["id"] for number in range(6)]
    assert "up to 5 files" in owner.hears("?", files=many)[1]


def test_what_is_read_runs_nothing(owner: Reader) -> None:
    """HTML that was sent as text is served as a download with a closed policy."""
    page = owner.adds(b"<script>alert(1)</script>", "a.html").json()
    answer = owner.client.get(f"files/{page['id']}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]


def test_with_a_login_files_are_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the login no file is taken and none is shown."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    account = {"username": "eva", "password": "a long password"}
    settings = Settings(data_dir=str(tmp_path), auth=SecretStr(":".join(account.values())))
    with create(settings).launch() as running, httpx.Client(base_url=running.url) as client:
        assert client.post("files", content=picture(), headers=OCTETS).status_code == 401
        assert client.get("files/" + "0" * 64).status_code == 401
        client.post("login", data=account)
        assert client.post("files", content=picture(), headers=OCTETS).status_code == 201


def test_one_visitor_sends_so_many_files_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files over the hourly bound get a 429 with Retry-After before they are read."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    most = int(UPLOADS.partition("/")[0])
    with (
        create(Settings(data_dir=str(tmp_path))).launch() as running,
        Reader(running.url) as reader,
    ):
        answers = [reader.adds(b"", **{"content-type": "text/plain"}) for _ in range(most + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {415}
    assert code(answers[-1]) == (429, "too_often")
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize("settings", [{"files": "off"}, {"data_dir": ""}])
def test_where_files_are_off_or_cannot_be_kept_none_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    """With files off, or without a disk, the page offers no files and the route refuses them."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    chosen = Settings(**{"data_dir": str(tmp_path), **settings})  # type: ignore[arg-type]
    with create(chosen).launch() as running, Reader(running.url) as reader:
        assert code(reader.adds(picture())) == (422, "files_off")
        assert "files\\u0026quot;: false" in reader.client.get("/").text
