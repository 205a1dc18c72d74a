"""Saved conversations in the store and for their readers."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.chat.titles import MAX_TITLE
from streamchat.saved.file import MAX_NUMBER, fields, file_of, read
from streamchat.saved.rendering import PART
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.store import NAME, Card, Store, conversations
from streamchat.store.conversations import UNDO
from streamchat.store.purging import GONE, purge
from streamchat.store.seams import Work
from streamchat.store.search import merge
from streamchat.system.pieces import parsed, written
from streamchat.ui.states import title_of
from streamchat.ui.transcript import message_of
from streamchat.ui.versions import Turn, Versions
from streamchat.web.problem import Unfit
from tests.reader import Reader

DAY = 86_400
T = TypeVar("T")
JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    return Settings(data_dir=str(tmp_path), rate_limit="off")


@pytest.fixture
def here(settings: Settings) -> Iterator[Running]:
    with create(settings).launch() as running:
        yield running


def test_conversations_are_listed_newest_first_and_in_parts(here: Running) -> None:
    """The next part begins before the last item of this one, and a question moves its conversation
    to the top."""
    with Reader(here.url) as reader:
        first, *_ = [reader.asks(f"Question {number}") for number in range(3)]
        reader.asks("And more?", first)
        assert reader.titles() == ["Question 0", "Question 2", "Question 1"]
        answer = reader.client.get("conversations", params={"limit": 2}).json()
        last = answer["conversations"][-1]["at"]
        assert (len(answer["conversations"]), answer["more"]) == (2, True)
        assert reader.titles(before=last) == ["Question 1"]


def test_no_conversation_is_skipped_that_was_saved_at_the_same_time(here: Running) -> None:
    """A part of the list goes on behind the last one of the part before, also where a file brought
    them all at once."""
    said = [{"role": "user", "text": "zebra"}]
    file = file_of([{"title": str(number), "messages": said} for number in range(9)])
    with Reader(here.url) as reader:
        assert reader.client.post("conversations/import", json=file).json() == {"imported": 9}
        for query in ("", "zebra"):
            titles, last = [], {"at": "", "id": ""}
            while part := reader.items(q=query, before=last["at"], last=last["id"], limit=2):
                titles += [each["title"] for each in part]
                last = part[-1]
            assert titles == [str(number) for number in range(9)]


def test_a_search_finds_conversations_by_their_words(here: Running) -> None:
    """Beginnings of words match in questions, answers and titles, in any case."""
    with Reader(here.url) as reader:
        id_ = reader.asks("Tell me of the Matterhorn")
        reader.asks("Something else")
        for query in ("matterh", "TELL matter", "zz matterhorn"):
            found = [each["id"] for each in reader.items(q=query)]
            assert found == ([] if "zz" in query else [id_])
        # the words of an answer
        assert [each["id"] for each in reader.items(q="DEMO")][1:] == [id_]
        snippet = reader.items(q="matter")[0]["snippet"]
        assert snippet.startswith("Tell me of the \x01Matterhorn\x02")
        reader.client.patch(f"conversations/{id_}", json={"title": "Toblerone"})
        assert [each["id"] for each in reader.items(q="tobler")] == [id_]


def test_a_new_start_finds_everything(settings: Settings) -> None:
    """Titles, messages and the reader's cookie are valid after a restart."""
    with create(settings).launch() as app, Reader(app.url) as reader:
        id_ = reader.asks("Once")
        reader.client.patch(f"conversations/{id_}", json={"title": "Kept"})
        cookies = reader.client.cookies
    with create(settings).launch() as app, Reader(app.url, cookies=cookies) as reader:
        assert reader.titles() == ["Kept"]
        assert reader.opens(id_)[1] == id_
        reader.asks("Twice", id_)
        assert (reader.titles(q="once twice"), reader.titles(q="demo")) == (["Kept"], ["Kept"])


def test_a_deleted_conversation_comes_back_as_it_was(here: Running) -> None:
    """One or several can be restored, and cannot be opened before that."""
    with Reader(here.url) as reader:
        one, two = reader.asks("One"), reader.asks("Two")
        assert reader.client.delete(f"conversations/{one}").status_code == 204
        assert reader.opens(one)[1] != one
        assert reader.client.post(f"conversations/{one}/restore").json()["title"] == "One"
        assert reader.opens(one)[1] == one
        reader.client.delete(f"conversations/{two}")
        assert reader.client.delete("conversations").json() == {"deleted": 1}
        assert reader.client.post("conversations/restore").json() == {"restored": 1}
        assert reader.titles() == ["One"]


class Clock:
    now = 1_795_699_040.0

    def __call__(self) -> float:
        return self.now


async def kept(store: Store, id_: str, text: str, visitor: str = "v", reader: str = "r") -> None:
    card = Card(store.reader(reader), "A title", text)
    store.put_tab(id_, {"before": [text], "replies": []}, visitor, size=len(text), card=card)
    assert await store.flush()


async def listed(store: Store, reader: str = "r", query: str = "") -> list[str]:
    work = partial(
        conversations.items, reader=store.reader(reader), query=query, before=1e12, most=2_000
    )
    return [item.id for item in await store.run(work) or []]


async def test_no_word_of_a_deleted_conversation_stays(tmp_path: Path) -> None:
    """Once it cannot be restored, its words are in no byte of the file and its index."""
    clock = Clock()
    store = Store(str(tmp_path), clock=clock)
    await store.open()
    await kept(store, "gone", "Marmalade the zebra " * 500)
    await kept(store, "stays", "Toast")
    reader = store.reader("r")
    await store.run(partial(conversations.delete, reader=reader, id_="gone", now=clock.now))
    clock.now += UNDO - 1
    await store.purge()
    assert words_in(tmp_path, b"armalade")
    clock.now += 2
    restore = partial(conversations.restore, reader=reader, id_="gone", now=clock.now)
    assert await store.run(restore) is None
    await store.purge()
    assert not words_in(tmp_path, b"armalade")
    assert await listed(store) == ["stays"]
    await store.close()


def varied(number: int) -> str:
    """So many words that an index of them takes many pages."""
    return f"Marmalade {number} " + " ".join(f"{number * each:x}w{each}" for each in range(2_000))


async def test_many_deleted_conversations_go_in_short_steps(tmp_path: Path) -> None:
    """Other work is done between them, the index is merged once for all, and a purge that is cut
    off is begun again by the next."""
    clock = Clock()
    store = Store(str(tmp_path), clock=clock)
    await store.open()
    for number in range(60):
        await kept(store, f"c{number}", varied(number))
    reader = store.reader("r")
    await store.run(partial(conversations.delete_all, reader=reader, now=clock.now))
    await kept(store, "stays", "Toast and jam")
    clock.now += UNDO + 1
    works: list[object] = []

    async def run(work: Work[T]) -> T | None:
        works.append(getattr(work, "func", None))
        if works[-1] is merge and works.count(merge) == 2:
            raise asyncio.CancelledError
        return await store.run(work)

    with pytest.raises(asyncio.CancelledError):
        await purge(run, clock.now - UNDO)
    assert words_in(tmp_path, b"armalade")
    await purge(run, clock.now - UNDO)
    assert works.count(conversations.drop_words) >= 60 // GONE
    assert works.count(merge) > 3
    assert not words_in(tmp_path, b"armalade")
    assert await listed(store, query="jam") == ["stays"]
    works.clear()
    await purge(run, clock.now - UNDO)
    assert works == [conversations.is_any_due]
    await store.close()


async def test_what_is_restored_counts_against_the_bound(tmp_path: Path) -> None:
    """A reader who deletes and restores in turn has no more conversations than others."""
    clock = Clock()
    store = Store(str(tmp_path), clock=clock, max_conversations=3)
    await store.open()
    reader = store.reader("r")
    restore = partial(conversations.restore, reader=reader, most=3)
    restore_last = partial(conversations.restore_last, reader=reader, most=3)
    for number in range(3):
        clock.now += 1
        await kept(store, f"old{number}", "text")
    await store.run(partial(conversations.delete_all, reader=reader, now=clock.now))
    for number in range(2):
        clock.now += 1
        await kept(store, f"new{number}", "text")
    restored = await store.run(partial(restore_last, now=clock.now))
    assert (restored, await listed(store)) == (1, ["new1", "new0", "old2"])
    await store.run(partial(conversations.delete, reader=reader, id_="new1", now=clock.now))
    await kept(store, "new2", "text")
    await store.run(partial(restore, id_="new1", now=clock.now))
    assert len(await listed(store)) == 3
    await store.close()


def words_in(folder: Path, words: bytes) -> bool:
    return any(words in path.read_bytes() for path in folder.glob(f"{NAME}*"))


async def test_conversations_are_kept_as_long_as_the_owner_says(tmp_path: Path) -> None:
    """The time counts from the last word."""
    clock = Clock()
    store = Store(str(tmp_path), clock=clock, max_age=10 * DAY)
    await store.open()
    await kept(store, "old", "old")
    await kept(store, "used", "used")
    clock.now += 9 * DAY
    await kept(store, "used", "used again")
    clock.now += 2 * DAY
    await kept(store, "new", "new")
    assert sorted(await listed(store)) == ["new", "used"]
    assert await listed(store, query="old") == []
    await store.close()


async def test_only_a_readers_own_oldest_makes_room(tmp_path: Path) -> None:
    """Over the bound a reader loses their own oldest conversation."""
    clock = Clock()
    store = Store(str(tmp_path), clock=clock, max_conversations=3)
    await store.open()
    await kept(store, "other", "other", reader="another")
    for number in range(5):
        clock.now += 1
        await kept(store, f"c{number}", "text")
    assert await listed(store) == ["c4", "c3", "c2"]
    assert await listed(store, "another") == ["other"]
    await store.close()


async def test_an_id_belongs_to_its_first_reader(tmp_path: Path) -> None:
    """Another reader cannot write under it."""
    store = Store(str(tmp_path))
    await store.open()
    await kept(store, "id", "mine")
    await kept(store, "id", "theirs", reader="another")
    assert (await store.tab("id") or {})["before"] == ["mine"]
    assert (await listed(store), await listed(store, "another")) == (["id"], [])
    await store.close()


def test_a_title_is_the_beginning_of_the_first_question() -> None:
    """The title is one line, cut between words."""
    assert (
        title_of([message_of("user", "How\n\n  is it?"), message_of("assistant", "Good")])
        == "How is it?"
    )
    long = title_of([message_of("user", "many words " * 20)])
    assert (len(long) <= MAX_TITLE, long[-7:]) == (True, " words…")
    assert len(title_of([message_of("user", "x" * 500)])) == MAX_TITLE
    assert title_of([]) == ""


def test_the_options_of_a_conversation_survive_a_restart(settings: Settings) -> None:
    """Model, effort, instructions and web search of its last question are kept."""
    chosen = {"model": "claude-haiku-5-5", "effort": "high", "thinking": False, "system": "Brief."}
    chosen |= {"search": True}
    settings = settings.model_copy(update={"models": "claude-haiku-5-5", "web_search": "ask"})
    with create(settings).launch() as app, Reader(app.url) as reader:
        reader.client.headers["x-options"] = json.dumps(chosen)
        id_, cookies = reader.asks("hi"), dict(reader.client.cookies)
    with create(settings).launch() as app, Reader(app.url, cookies=cookies) as reader:
        assert reader.client.get(f"conversations/{id_}/options").json() == chosen


def test_an_export_imports_as_an_equal_conversation(here: Running) -> None:
    """Another reader can import it, too; as Markdown it is readable."""
    with Reader(here.url) as reader, Reader(here.url) as other:
        reader.client.headers["x-options"] = json.dumps({"effort": "high", "system": "Brief."})
        ids = [reader.asks("# One\n<b>"), reader.asks("Two")]
        reader.client.patch(f"conversations/{ids[0]}", json={"title": "First"})
        file = reader.client.get("conversations/export")
        assert "attachment" in file.headers["content-disposition"]
        plain = json.dumps(file.json(), ensure_ascii=False, separators=(",", ":"))
        assert file.text == plain
        imported = other.client.post("conversations/import", content=file.content)
        assert imported.json() == {"imported": 2}
        again = other.client.get("conversations/export").json()["conversations"]
        assert again == file.json()["conversations"]
        assert other.titles(q="demo") == ["Two", "First"]
        text = reader.client.get(f"conversations/{ids[0]}/export?format=md").text
        assert text.startswith("# First\n\n## You\n\n# One\n<b>\n\n## Claude\n\n")
        assert other.client.get(f"conversations/{ids[0]}/export").status_code == 404


NO_TIMES: list[object] = [
    None,
    -1,
    -0.5,
    "now",
    True,
    [],
    1e300,
    10**400,
    float("nan"),
    float("inf"),
    5e9,
]


def test_an_imported_time_that_cannot_be_is_now(here: Running) -> None:
    """One of the future, or none at all; another one is kept, and the list is in its order."""
    good = {"title": "Old", "messages": [{"role": "user", "text": "a"}], "at": 0}
    odd = [{**good, "title": "Odd", "at": at} for at in NO_TIMES]
    file = json.dumps(file_of([*odd, good, {**good, "at": 1.5}]))
    with Reader(here.url) as reader:
        reader.asks("Now")
        now = reader.items()[0]["at"]
        imported = reader.client.post("conversations/import", content=file).json()
        assert imported == {"imported": len(odd) + 2}
        *found, last, one, zero = reader.items()
        assert all(each["title"] == "Odd" and now <= each["at"] < 5e9 for each in found)
        assert [last["at"], one["at"], zero["at"]] == [now, 1.5, 0]


@pytest.mark.parametrize(
    "conversation",
    [
        None,
        {},
        {"title": 1, "messages": [{"role": "user", "text": "a"}]},
        {"title": "t", "messages": []},
        {"title": "t", "messages": "a"},
        {"title": "t", "messages": [{"role": "system", "text": "a"}]},
        {"title": "t", "messages": [{"role": "assistant", "text": "a"}]},
        {"title": "t", "messages": [{"role": "user", "text": None}]},
        {"title": "t", "messages": [{"role": "user", "text": " "}]},
        {"title": "t" * 2_000, "messages": [{"role": "user", "text": "a"}]},
        {"title": "t", "messages": [{"role": "user", "text": "a"}] * 901},
        {"title": "t", "messages": [{"role": "user", "text": "a"}], "options": "high"},
    ],
)
def test_only_an_export_is_imported(conversation: object) -> None:
    """A file with anything else is refused as a whole."""
    good = {"title": "t", "messages": [{"role": "user", "text": "a"}]}
    assert len(read(file_of([good]))) == 1
    with pytest.raises(Unfit):
        read(file_of([good, conversation]))  # type: ignore[list-item]


@given(st.recursive(JSON, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_an_import_is_read_as_json_is(value: object) -> None:
    """Although other threads get turns meanwhile; what is no JSON is refused."""
    body = json.dumps(value, ensure_ascii=False).encode(errors="replace")
    assert parsed(body) == json.loads(body)
    for bad in (body + b" x", b'["\xff"]', b"[" * 100_000, b""):
        with pytest.raises((ValueError, RecursionError)):
            parsed(bad)


def test_long_texts_are_written_in_short_pieces() -> None:
    """Together they are the same JSON, wherever a text is cut."""
    value = {"texts": ['"\\\n\U0001f600' * PART, "", "a"], "none": [None, 1.5, -1, True], "of": {}}
    pieces = list(written(value))
    assert "".join(pieces) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert max(map(len, pieces)) <= 2 * PART


@pytest.mark.parametrize("start", [7, MAX_NUMBER - 4])
def test_a_conversation_with_high_numbers_can_be_exported_again(start: int) -> None:
    """An import counts turns anew where few numbers are left, in the same order."""
    words = [{"role": "user", "text": text} for text in "ab"]
    hidden = {"turn": start + 2, "after": start, "messages": words[:1]}
    file = {"title": "t", "messages": words, "path": [start, start + 3], "versions": [hidden]}
    (told,) = read(file_of([file]))
    first = told.versions.path[0]
    assert told.versions.path == (first, first + (3 if start == 7 else 2))
    assert [(turn.number - first, turn.after - first) for turn in told.versions.hidden] == [
        (2 if start == 7 else 1, 0)
    ]
    later = replace(told, versions=replace(told.versions, path=(first, told.versions.next + 9)))
    for each in (told, later):
        assert read(file_of([fields(each, 0)]))
    used_up = Versions((MAX_NUMBER, MAX_NUMBER + 1), (Turn.of(MAX_NUMBER + 2, MAX_NUMBER, []),))
    exported = fields(replace(told, versions=used_up), 0)
    assert (exported["path"], exported["versions"][0]["turn"]) == ((0, 1), 2)
