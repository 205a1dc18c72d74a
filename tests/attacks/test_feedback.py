"""Thumbs for other people's answers, and too many or too large thumbs."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamchat.server import Running, create
from streamchat.settings import Settings
from tests.reader import Reader

PASSWORD = "eight letters"
QUESTION = "Say hello to Marmalade"
OWNER = {"authorization": "Basic " + b64encode(f"x:{PASSWORD}".encode()).decode()}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANTHROPIC_API_KEY", "")
        folder = str(tmp_path_factory.mktemp("kept"))
        settings = Settings(data_dir=folder, rate_limit="off", owner_password=PASSWORD)
        with create(settings).launch() as running:
            yield running


@pytest.fixture
def reader(here: Running) -> Iterator[Reader]:
    with Reader(here.url) as reader:
        yield reader


def put(reader: Reader, id_: str, **fields: Any) -> httpx.Response:
    thumb = {"conversation": id_, "turn": 0, "thumb": "up"} | fields
    return reader.client.put("feedback", json=thumb)


def counted(here: Running) -> tuple[int, int]:
    """All thumbs up and down, as the owner reads them."""
    days = httpx.get(f"{here.url}owner/state", headers=OWNER, timeout=20).json()["votes"]
    return sum(day["up"] for day in days), sum(day["down"] for day in days)


def test_one_answer_has_one_thumb(here: Running, reader: Reader) -> None:
    """An answer has one thumb: the last one counts, and a page can take it back."""
    up, down = counted(here)
    id_ = reader.asks(QUESTION)
    for _ in range(3):
        assert put(reader, id_).status_code == 204
    assert counted(here) == (up + 1, down)
    reader.opens(id_)
    assert put(reader, id_, thumb="down").status_code == 204
    assert counted(here) == (up, down + 1)
    assert put(reader, id_, thumb="none").status_code == 204
    assert counted(here) == (up, down)


def test_no_other_reader_has_a_thumb_for_it(here: Running, reader: Reader, thief: Reader) -> None:
    """A stranger who knows the id can neither give a thumb nor learn about one."""
    before = counted(here)
    id_ = reader.asks(QUESTION)
    thief.client.cookies.set("streamchat_other", "x")
    unknown = put(thief, "x" * 32)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_reply")
    assert put(thief, id_).json() == unknown.json()
    thief.client.cookies.clear()
    assert put(thief, id_).json() == unknown.json()
    assert counted(here) == before


@pytest.mark.parametrize("turn", [1, 2, 9_999])
def test_a_turn_without_an_answer_has_no_thumb(here: Running, reader: Reader, turn: int) -> None:
    """A turn that the conversation does not have is unknown."""
    before = counted(here)
    assert put(reader, reader.asks(QUESTION), turn=turn).status_code == 404
    assert counted(here) == before


FORGED: dict[str, Any] = {
    "turn below": {"turn": -1},
    "turn beyond": {"turn": 10**9},
    "turn a text": {"turn": "0"},
    "turn a truth": {"turn": True},
    "turn a part": {"turn": 0.5},
    "thumb sideways": {"thumb": "sideways"},
    "thumb a number": {"thumb": 1},
    "thumb a list": {"thumb": ["up"]},
    "no conversation": {"conversation": None},
    "a path": {"conversation": "../../owner"},
    "a line end": {"conversation": "x\n"},
    "a long id": {"conversation": "x" * 65},
    "SQL": {"conversation": "' OR 1=1 --"},
    "long words": {"words": "x" * 1_001},
    "words a list": {"words": ["x"]},
    "one field more": {"at": 1},
    "a vote for another": {"answer": "00" * 16},
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_thumb_is_refused(here: Running, reader: Reader, name: str) -> None:
    """A body with another shape is refused with a sentence, and not counted."""
    before = counted(here)
    answer = put(reader, "x" * 32, **FORGED[name])
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_feedback")
    assert counted(here) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[" * 5_000, 413),
        (b"x" * 30_000, 413),
        (b'{"turn": NaN}', 400),
        (b"\xff", 400),
    ],
)
def test_a_body_that_is_none_is_refused(here: Running, body: bytes, status: int) -> None:
    """A body that is too large or not JSON is refused."""
    answer = httpx.put(f"{here.url}feedback", content=body, timeout=20)
    assert answer.status_code in (400, status)


def test_words_are_refused_where_nobody_asks_for_them(here: Running, reader: Reader) -> None:
    """Words are refused unless the owner has turned them on."""
    id_ = reader.asks(QUESTION)
    answer = put(reader, id_, words="My name is Marmalade")
    assert (answer.status_code, answer.json()["code"]) == (403, "no_words_taken")
    assert reader.client.get("feedback").json() == {"words": False}


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://elsewhere.example"}]
)
def test_no_other_sites_page_gives_a_thumb(reader: Reader, headers: dict[str, str]) -> None:
    """A cross-site request gives no thumb, also with the reader's cookie."""
    thumb = {"conversation": reader.asks(QUESTION), "turn": 0, "thumb": "up"}
    answer = reader.client.put("feedback", json=thumb, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")


def test_a_flood_of_thumbs_is_held_up(tmp_path: Path) -> None:
    """A visitor who gives too many thumbs is told to wait; refused ones count as well."""
    with create(Settings(data_dir=str(tmp_path))).launch() as here, Reader(here.url) as reader:
        answers = [put(reader, "x" * 32) for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {404}
    assert (answers[60].status_code, answers[60].json()["code"]) == (429, "too_often")


@pytest.mark.parametrize("settings", [{"feedback": "off"}, {"data_dir": ""}])
def test_there_is_no_route_where_no_thumbs_are_kept(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """Without a disk, or with feedback off, the route does not exist."""
    with create(Settings(**{"data_dir": str(tmp_path)} | settings)).launch() as here:  # type: ignore[arg-type]
        assert httpx.get(f"{here.url}feedback", timeout=20).status_code == 404
        assert httpx.put(f"{here.url}feedback", json={}, timeout=20).status_code in (404, 413)
