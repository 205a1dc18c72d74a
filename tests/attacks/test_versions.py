"""Attacks on versions: by strangers, and with forged ones."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamchat.saved import Rates, versions
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.ui.versions import MAX_BYTES, MAX_TURNS
from tests.attacks.test_saved import UNKNOWN, code
from tests.reader import Reader

SECRET = "A zebra called Marmalade"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ANTHROPIC_API_KEY", "")
        folder = str(tmp_path_factory.mktemp("kept"))
        with create(Settings(data_dir=folder, rate_limit="off")).launch() as running:
            yield running


@pytest.fixture
def owner(here: Running) -> Iterator[Reader]:
    with Reader(here.url) as reader:
        yield reader


def said(*texts: str) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "text": text} for place, text in enumerate(texts)]


def turn(number: Any, after: Any, *texts: str) -> dict[str, Any]:
    return {"turn": number, "after": after, "messages": said(*texts)}


# two answers to the first question, of which the second one is shown, and one to a later one
TREE: dict[str, Any] = {
    "title": "Zebras",
    "messages": said(SECRET, "Stripes.", "And?", "Spots."),
    "path": [2, 4],
    "versions": [turn(1, 0, "Later", "Late."), turn(0, -1, SECRET, "Dots."), turn(3, 2, "And?")],
}


def put_in(reader: Reader, /, **changed: Any) -> httpx.Response:
    file = {"format": "streamchat-conversations", "version": 1, "conversations": [TREE | changed]}
    return reader.client.post("conversations/import", json=file)


def imported(reader: Reader, /, **changed: Any) -> str:
    """The id of the conversation in a file."""
    answer = put_in(reader, **changed)
    assert answer.json() == {"imported": 1}
    return str(reader.items()[0]["id"])


def shown(reader: Reader, id_: str) -> Any:
    answer = reader.client.get(f"conversations/{id_}/versions")
    assert answer.status_code == 200, answer.text
    return answer.json()


def put(reader: Reader, id_: str, **fields: Any) -> httpx.Response:
    return reader.client.put(f"conversations/{id_}/versions", json=fields)


def exported(reader: Reader, id_: str) -> Any:
    file = reader.client.get(f"conversations/{id_}/export").json()
    return file["conversations"][0]


def test_another_browser_neither_reads_nor_shows_versions(owner: Reader, thief: Reader) -> None:
    """A stranger gets the answer for an unknown id, with a cookie and without one."""
    id_ = imported(owner)
    before = shown(owner, id_)
    for cookies in (thief.client.cookies, None):
        with httpx.Client(base_url=thief.client.base_url, cookies=cookies) as client:
            for each in (id_, "x" * 32):
                url = f"conversations/{each}/versions"
                assert (
                    code(client.get(url)) == code(client.put(url, json={"version": 0})) == UNKNOWN
                )
    assert shown(owner, id_) == before


def test_versions_go_out_and_come_in_again(owner: Reader) -> None:
    """An exported file imports as an equal conversation with all versions. Its Markdown has the
    shown path."""
    id_ = imported(owner)
    assert shown(owner, id_) == {
        "path": [2, 4],
        "choices": [
            {"turn": 0, "shown": 2, "questions": [2], "answers": [0, 2]},
            {"turn": 1, "shown": 4, "questions": [4], "answers": [3, 4]},
        ],
    }
    told = exported(owner, id_)
    assert {name: told[name] for name in TREE} == TREE
    assert put(owner, id_, version=0).json()["path"] == [0, 1]
    told = exported(owner, id_)
    assert told["messages"] == said(SECRET, "Dots.", "Later", "Late.")
    again = imported(owner, **told)
    assert exported(owner, again) == told | {"at": exported(owner, again)["at"]}
    text = owner.client.get(f"conversations/{again}/export?format=md").text
    assert ("Dots." in text, "Stripes." in text) == (True, False)
    assert owner.titles(q="dots late") == ["Zebras", "Zebras"]
    assert owner.titles(q="stripes") == []


@pytest.mark.parametrize(
    "body",
    [
        {"version": -1},
        {"version": 10**9},
        {"version": 10**30},
        {"version": 0.0},
        {"version": 1.5},
        {"version": True},
        {"version": "1"},
        {"version": None},
        {"version": [1]},
        {},
        [],
        1,
        {"version": 1, "turn": 0},
        {"version": 1, "reader": "x"},
    ],
    ids=str,
)
def test_a_forged_number_is_refused_with_a_sentence(owner: Reader, body: Any) -> None:
    """A malformed number of a version is refused, and the shown path stays."""
    id_ = imported(owner)
    answer = owner.client.put(f"conversations/{id_}/versions", json=body)
    assert code(answer) == (422, "bad_version")
    assert answer.json()["message"]
    assert shown(owner, id_)["path"] == [2, 4]


@pytest.mark.parametrize("number", [5, 999, 10**9 - 1])
def test_a_number_that_no_turn_has_is_unknown(owner: Reader, number: int) -> None:
    """An unknown number changes and deletes nothing."""
    id_ = imported(owner)
    assert code(put(owner, id_, version=number)) == (404, "unknown_version")
    assert shown(owner, id_)["path"] == [2, 4]


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 422), (b"{", 422), (b"[" * 15, 422), (b" " * 5_000, 413)]
)
def test_a_body_that_is_no_json_is_refused(owner: Reader, body: bytes, status: int) -> None:
    """A body that is no JSON, or is too long, is refused."""
    id_ = imported(owner)
    answer = owner.client.put(f"conversations/{id_}/versions", content=body)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True)


@pytest.mark.parametrize(
    "header", [{"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}]
)
def test_no_other_sites_page_shows_a_version(owner: Reader, header: dict[str, str]) -> None:
    """Cross-site requests are refused even if the browser sends the cookie along."""
    id_ = imported(owner)
    for method, body in (("GET", None), ("PUT", {"version": 0})):
        url = f"conversations/{id_}/versions"
        answer = owner.client.request(method, url, headers=header, json=body)
        assert code(answer) == (403, "foreign_page")
    assert shown(owner, id_)["path"] == [2, 4]


def test_a_login_keeps_versions_from_everybody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the login no request reaches the conversation."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    with create(Settings(data_dir=str(tmp_path), auth="ada:long enough")).launch() as app:
        for method in ("GET", "PUT"):
            url = f"{app.url}conversations/x/versions"
            answer = httpx.request(method, url, json={"version": 0} if method == "PUT" else None)
            assert code(answer) == (401, "login_required")


def test_a_visitor_who_goes_back_and_forth_all_the_time_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor who switches too often waits, because each switch writes the conversation to the
    disk."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(versions, "sleep", sleep)
    rates = Rates(changes="4/minute", switched=1_000_000)
    chat = replace(create(Settings(data_dir=str(tmp_path))), rates=rates)
    with chat.launch() as app, Reader(app.url) as reader:
        id_ = imported(reader, messages=said("hi", "a" * 1_900_000, "so", "b"))
        answers = [put(reader, id_, version=number) for number in (0, 2, 0, 2)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 0 < waits[0] < 1 < waits[1] < 3 < waits[2]


FORGED: dict[str, dict[str, Any]] = {
    "a circle": {"versions": [turn(0, 1, "a"), turn(1, 0, "b")]},
    "itself": {"versions": [turn(0, 0, "a")]},
    "after a later one": {"versions": [turn(0, 2, "a")]},
    "after nothing": {"versions": [turn(1, 0, "a")]},
    "twice": {"versions": [turn(0, -1, "a"), turn(0, -1, "b")]},
    "shown and hidden": {"versions": [turn(2, -1, "a")]},
    "below": {"versions": [turn(-1, -1, "a")]},
    "far below": {"versions": [turn(0, -2, "a")]},
    "huge": {"versions": [turn(10**9, -1, "a")]},
    "huger": {"versions": [turn(10**400, -1, "a")]},
    "a part": {"versions": [turn(0.5, -1, "a")]},
    "a truth": {"versions": [turn(True, -1, "a")]},
    "a text": {"versions": [turn("0", -1, "a")]},
    "no question": {"versions": [{"turn": 0, "after": -1, "messages": []}]},
    "an answer first": {
        "versions": [{"turn": 0, "after": -1, "messages": [{"role": "assistant", "text": "a"}]}]
    },
    "two questions": {"versions": [turn(0, -1, "a", "b", "c")]},
    "a system": {
        "versions": [{"turn": 0, "after": -1, "messages": [{"role": "system", "text": "a"}]}]
    },
    "not a turn": {"versions": [[0, -1, []]]},
    "not a list": {"versions": {"0": 1}},
    "no list": {"versions": None},
    "deep": {"versions": json.loads("[" * 100 + "]" * 100)},
    "too many": {"versions": [turn(number, -1, "a") for number in range(5, MAX_TURNS + 6)]},
    "a long turn": {"versions": [turn(0, -1, *["a"] * 2_000)]},
    "no path": {"path": []},
    "a short path": {"path": [2]},
    "a long path": {"path": [2, 4, 5]},
    "a path back": {"path": [4, 2]},
    "a path on the spot": {"path": [2, 2]},
    "a path below": {"path": [-1, 2]},
    "a path of parts": {"path": [2.0, 4.0]},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_no_file_makes_anything_but_a_tree(owner: Reader, forged: dict[str, Any]) -> None:
    """An imported file whose versions are no tree is refused as a whole."""
    kept = owner.titles()
    answer = put_in(owner, **forged)
    assert code(answer) == (422, "bad_file"), forged
    assert owner.titles() == kept


def test_unknown_fields_of_a_file_are_ignored(owner: Reader) -> None:
    """Unknown fields reach neither the conversation nor a later export."""
    told = copy.deepcopy(TREE) | {"reader": "x", "hidden": [], "missing": [0]}
    told["versions"][0] |= {"size": -1, "reader": "x"}
    id_ = imported(owner, **told)
    assert exported(owner, id_).keys() == TREE.keys() | {"at"}
    assert exported(owner, id_)["versions"] == TREE["versions"]


def test_a_file_of_very_many_versions_is_cut_and_not_refused(owner: Reader) -> None:
    """The import keeps the last versions within the usual bounds, and is fast."""
    many = [turn(number, -1, "a" * 10_000) for number in range(5, 900)]
    id_ = imported(owner, versions=many)
    found = [each["turn"] for each in exported(owner, id_)["versions"]]
    assert found == list(range(881, 900))
    chain = [turn(number, number - 1, "a" * 15_000) for number in range(800, 5, -1)]
    id_ = imported(owner, versions=[*chain, turn(5, 4, "a")])
    kept = exported(owner, id_)["versions"]
    assert 0 < sum(len(each["messages"][0]["text"]) for each in kept) <= MAX_BYTES
    assert kept[-1]["turn"] == 5


def test_going_back_and_forth_loses_nothing_of_a_long_conversation(owner: Reader) -> None:
    """A switch that hides megabytes loses nothing."""
    words = said(SECRET, "Stripes.", "word " * 450_000, "Spots.", "And?", "Tail.")
    id_ = imported(owner, messages=words, path=[1, 2, 3], versions=[turn(0, -1, SECRET, "Dots.")])
    for number, path in ((0, [0]), (1, [1, 2, 3])):
        answer = put(owner, id_, version=number)
        assert (answer.status_code, answer.json()["path"]) == (200, path)
    assert exported(owner, id_)["messages"] == words
