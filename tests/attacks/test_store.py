"""Attacks that fill the store or the memory, so that other visitors' data is evicted."""

import asyncio
import contextlib
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from streamchat.api.routes import PATH, routes
from streamchat.events import Done, Event, Text
from streamchat.replies.cache import Cache
from streamchat.replies.reply import Reply
from streamchat.store.database import MAX_AGE, NAME, Store
from streamchat.store.journal import Entry, read, write
from streamchat.store.seams import Transaction
from streamchat.visitors.shelf import Shelf
from tests.attacks.visitor import Room, Visitor, frames
from tests.hand import Hand
from tests.test_cache import ended, known

ATTACKER = "198.51.100.66"
VISITOR_BYTES, MAX_BYTES = 1_000_000, 3_000_000
UNVERSIONED = Path(__file__).parents[1] / "data" / "streamchat-0.sqlite3"


@asynccontextmanager
async def a_room(folder: Path | str, **bounds: Any) -> AsyncIterator[Room]:
    now = bounds.pop("now", None)
    store = Store(
        str(folder),
        visitor_bytes=VISITOR_BYTES,
        max_bytes=MAX_BYTES,
        **({"clock": now} if now else {}),
    )
    await store.open()
    room = Room(store, **bounds)
    try:
        yield room
    finally:
        await room.close()


async def victims(room: Room, number: int = 5) -> list[Visitor]:
    """Visitors with a conversation of two turns each, one of them reloaded since."""
    people = [Visitor(room, f"192.0.2.{n}", f"victim{n}") for n in range(number)]
    for visitor in people:
        await visitor.reload("")
        await visitor.ask(f"My secret, {visitor.address}", "x" * 10_000)
        await visitor.ask("And more", "y" * 10_000)
    await people[0].reload()
    await room.store.flush()
    return people


async def attack(room: Room, address: str = ATTACKER, claims: int = 2_000) -> None:
    """Writes ten times a visitor's share of words, thousands of claims, and new chats."""
    attacker = Visitor(room, address, "attacker")
    big = await attacker.reload("")
    for number in range(30):
        attacker.shown = []
        await attacker.ask("x" * 300_000)
        await attacker.reload(big if number % 2 else "")
        if number % 5 == 4:
            await attacker.starts_anew()
        await room.store.flush()
    for number in range(claims):
        await room.page.claim(big, "", attacker.opens(f"claim{number}"))
    await room.store.flush()


async def shows_still(visitor: Visitor) -> None:
    shown = visitor.shown
    await visitor.reload()
    assert visitor.shown == shown


def held(folder: Path) -> int:
    """Bytes of all rows in the file."""
    with contextlib.closing(sqlite3.connect(folder / NAME)) as file:
        tables = "(SELECT size FROM tabs UNION ALL SELECT size FROM events)"
        return int(file.execute(f"SELECT TOTAL(size) FROM {tables}").fetchone()[0])


async def test_a_visitor_cannot_delete_what_others_keep(tmp_path: Path) -> None:
    """A visitor who sends, claims and begins anew without end evicts no other visitor's
    conversation."""
    async with a_room(tmp_path, max_tabs=100) as room:
        people = await victims(room)
        before = held(tmp_path)
        await attack(room)
        for visitor in people:
            await shows_still(visitor)
        assert held(tmp_path) < before + VISITOR_BYTES
        assert len(room.tabs._tabs) <= 100
        tabs = [room.page.tab_id(visitor.request) for visitor in people]
    async with a_room(tmp_path) as restarted:
        for visitor, tab in zip(people, tabs, strict=True):
            again = Visitor(restarted, visitor.address)
            await again.reload(tab)
            assert again.shown == visitor.shown
    assert (tmp_path / NAME).stat().st_size < before + 2 * VISITOR_BYTES


async def test_many_visitors_together_cannot_delete_what_others_keep(tmp_path: Path) -> None:
    """Over the common bound the visitors with most data lose some, and a visitor with little loses
    nothing."""
    async with a_room(tmp_path, max_tabs=50) as room:
        people = await victims(room)
        for number in range(5):
            await attack(room, f"198.51.100.{number}", claims=0)
        for visitor in people:
            await shows_still(visitor)
        assert held(tmp_path) <= MAX_BYTES


async def test_a_conversation_is_dropped_as_a_whole(tmp_path: Path) -> None:
    """When all visitors hold the same, the oldest conversations are evicted completely."""
    text = "x" * 9_000
    async with a_room(tmp_path) as room:
        people = [Visitor(room, f"192.0.2.{n}", f"visitor{n}") for n in range(250)]
        for visitor in people:
            await visitor.reload("")
            await visitor.ask("Why?", text)
            await visitor.ask("And?", text)
        await room.store.flush()
        tabs = [room.page.tab_id(visitor.request) for visitor in people]
    async with a_room(tmp_path) as restarted:
        whole = []
        for visitor, tab in zip(people, tabs, strict=True):
            again = Visitor(restarted, visitor.address)
            await again.reload(tab)
            assert again.shown in ([], visitor.shown)
            whole.append(bool(again.shown))
    # a conversation takes 18 kB
    assert sum(whole) > MAX_BYTES / 25_000


async def test_without_a_store_nobody_is_pushed_out_of_memory() -> None:
    """Without a store a visitor's claims evict that visitor's own tabs from memory."""
    room = Room(max_tabs=100, visitor_bytes=VISITOR_BYTES, max_pages=100)
    people = await victims(room)
    await attack(room)
    for visitor in people:
        await shows_still(visitor)
    assert len(room.tabs._tabs) <= 100
    assert len(room.page._tab_ids) <= 100
    assert room.tabs._tabs._weights[ATTACKER] <= VISITOR_BYTES


async def test_a_claim_copies_nothing(tmp_path: Path) -> None:
    """A hundred claims of a large tab take its memory and disk space once."""
    async with a_room(tmp_path) as room:
        visitor = Visitor(room)
        tab = await visitor.reload("")
        await visitor.ask("x" * 500_000)
        await room.store.flush()
        before = held(tmp_path)
        for number in range(100):
            await room.page.claim(tab, "", visitor.opens(f"claim{number}"))
        await room.store.flush()
        assert held(tmp_path) < before + 100 * 1_000
        copies = [await room.page.tab(visitor.opens(f"claim{number}")) for number in range(100)]
        assert len({id(copy.before) for copy in copies}) == 1


async def test_many_who_look_for_a_tab_at_once_load_it_once(tmp_path: Path) -> None:
    """Concurrent claims of one tab and its copies load it once."""
    async with a_room(tmp_path) as room:
        visitor = Visitor(room)
        tabs = [await visitor.reload("")]
        await visitor.ask("x" * 500_000)
        tabs += [
            (await room.page.claim(tabs[0], "", visitor.opens(f"copy{number}")))[0]
            for number in range(10)
        ]
    async with a_room(tmp_path) as room:
        pages = [visitor.opens(f"claim{number}") for number in range(110)]
        await asyncio.gather(
            *(room.page.claim(tab, "", page) for tab, page in zip(tabs * 10, pages, strict=True))
        )
        copies = [await room.page.tab(page) for page in pages]
        assert len({id(copy.before) for copy in copies}) == 1
        assert copies[0].before


async def test_a_copy_outlives_restarts_and_the_age_of_what_it_copies(tmp_path: Path) -> None:
    """A page that is reloaded again and again keeps its conversation beyond the age of the first
    tab."""
    now = [0.0]
    visitor, tab = None, ""
    for day in (0, 20, 40, 60):
        now.append(day * 86_400)
        async with a_room(tmp_path, now=lambda: now[-1]) as room:
            visitor = Visitor(room)
            tab = await visitor.reload(tab)
            if not day:
                await visitor.ask("Remember me", "Yes.")
            assert "Remember me" in repr(visitor.shown)
            assert "Yes." in repr(visitor.shown)
    now.append(60 * 86_400 + MAX_AGE + 1)
    async with a_room(tmp_path, now=lambda: now[-1]) as room:
        assert visitor
        visitor = Visitor(room)
        await visitor.reload(tab)
        assert visitor.shown == []
    assert held(tmp_path) == 0


async def test_a_copy_that_goes_on_has_a_state_of_its_own(tmp_path: Path) -> None:
    """A copy that gets a new message has its own state, and its origin stays as it was."""
    async with a_room(tmp_path) as room:
        visitor = Visitor(room)
        first = await visitor.reload("")
        await visitor.ask("first")
        second = await visitor.reload()
        await visitor.ask("second")
    async with a_room(tmp_path) as room:
        visitor = Visitor(room)
        await visitor.reload(first)
        assert "second" not in repr(visitor.shown)
        await visitor.reload(second)
        assert "second" in repr(visitor.shown)


class Listed(Store):
    """Remembers which replies were looked for."""

    def __init__(self) -> None:
        super().__init__("")
        self.looked_for: list[str] = []

    async def log(self, reply: str, *, since: float = 0) -> list[Event]:
        self.looked_for.append(reply)
        return await super().log(reply, since=since)


@pytest.mark.parametrize(
    "odd",
    ["a" * 31, "a" * 33, "a" * 5_000, "a" * 31 + "\n", "a" * 31 + "é", "' OR ''='" + "a" * 23],
    ids=["short", "long", "very long", "line feed", "letter", "SQL"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_a_reply_with_an_odd_id_is_not_looked_for(method: str, odd: str) -> None:
    """A reply id that is not 32 letters, digits, hyphens or underscores does not reach the store."""
    store = Listed()
    room = Room(store)
    own = ASGITransport(FastAPI(routes=routes(room.chat, lambda *_: "visitor").routes))
    async with AsyncClient(transport=own, base_url="http://localhost") as client:
        for reply in (odd, "a" * 32):
            answer = await client.request(method, f"{PATH}/{quote(reply, safe='')}")
            assert answer.status_code == 404
            assert method == "HEAD" or answer.json()["code"] == "unknown_reply"
    assert store.looked_for == ["a" * 32]
    await room.close()


@pytest.mark.parametrize(
    "session", [None, "", "a" * 65, "a" * 5_000_000, "a b", "../a", "ä", "a\n", "\ud800"]
)
async def test_a_caller_that_is_no_page_claims_nothing(session: str | None) -> None:
    """Callers without a page's session share no tab."""
    room = Room()
    owner, thief = Visitor(room, "192.0.2.1"), Visitor(room, ATTACKER)
    owner.request, thief.request = owner.opens(session), thief.opens(session)
    assert (await room.page.claim("", "", thief.request))[0] == ""
    await owner.ask("My secret diagnosis is X")
    assert (await room.page.claim("", "", thief.request))[0] == ""
    assert (await frames(room.page.resume(thief.request)))[-1][0] != owner.shown
    await thief.ask("What did I say?")
    assert thief.sent == [("user", "What did I say?")]
    assert (len(room.tabs._tabs), len(room.page._tab_ids)) == (0, 0)


@pytest.mark.parametrize(
    "tab", ["", "a" * 65, "x" * 5_000_000, "a b", "' OR 1=1", "\0", "\ud800", "%"]
)
async def test_a_tab_with_an_odd_id_is_not_looked_for(tab: str, tmp_path: Path) -> None:
    """A malformed tab id is not looked up and not kept."""
    async with a_room(tmp_path) as room:
        visitor = Visitor(room)
        claimed = await visitor.reload(tab)
        assert visitor.shown == []
        assert claimed not in ("", tab)
        assert len(room.tabs._tabs) == 1


async def test_claims_are_limited_and_a_tab_is_not_lost_by_it() -> None:
    """A visitor who opens pages too quickly is told so; the page keeps its id, and other visitors
    open theirs."""
    room = Room(claims="3/minute")
    visitor, other = Visitor(room), Visitor(room, ATTACKER)
    tab = await visitor.reload("")
    await visitor.ask("Here I am")
    for _ in range(2):
        tab = await visitor.reload(tab)
    claimed, _, sentence = await room.page.claim(tab, "", visitor.opens("one-more"))
    assert claimed == tab
    assert "You are opening pages too quickly. Try again in" in sentence
    assert await other.reload("")
    assert "too quickly" not in sentence.replace("too quickly", "", 1)


@contextlib.contextmanager
def failing(folder: Path) -> Iterator[None]:
    """A disk that neither reads nor writes."""
    folder.rename(folder.with_name("moved"))
    while not folder.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        # the store may have made the folder anew meanwhile
        with contextlib.suppress(IsADirectoryError):
            folder.write_text("in the way")
    yield
    folder.unlink()
    folder.with_name("moved").rename(folder)


async def test_writes_that_wait_for_the_disk_are_bounded_by_visitor(tmp_path: Path) -> None:
    """While the disk fails, a visitor's unwritten words are bounded by the visitor's share, and
    nobody else's are lost."""
    async with a_room(tmp_path / "data") as room:
        people = await victims(room)
        with failing(tmp_path / "data"):
            for visitor in people:
                await visitor.ask("while nothing is written")
            await attack_without_disk(room)
            waiting = room.store._tabs._weights
            assert waiting[ATTACKER] <= VISITOR_BYTES
        for visitor in people:
            await visitor.reload()
            assert "while nothing is written" in repr(visitor.shown)
        await room.store.flush()
        for visitor in people:
            assert "while nothing is written" in repr(
                await room.store.tab(room.page.tab_id(visitor.request))
            )


async def attack_without_disk(room: Room) -> None:
    for number in range(20):
        attacker = Visitor(room, ATTACKER, f"attacker{number}")
        await attacker.ask("x" * 300_000)


class Spy(dict[str, Any]):
    """Records which threads read its content."""

    def __init__(self) -> None:
        super().__init__(before=[])
        self.seen_by: list[threading.Thread] = []

    def items(self) -> Any:
        self.seen_by.append(threading.current_thread())
        return super().items()


async def test_a_large_tab_is_made_json_off_the_event_loop(tmp_path: Path) -> None:
    """The store's thread encodes a tab's JSON."""
    async with a_room(tmp_path) as room:
        state = Spy()
        room.store.put_tab("one", state)
        assert state.seen_by == []
        await room.store.flush()
        assert state.seen_by
        assert threading.current_thread() not in state.seen_by


async def test_a_reply_counts_for_who_asked_it(tmp_path: Path) -> None:
    """Replies to programs count for the visitor who asked, and the oldest are evicted."""
    async with a_room(tmp_path) as room:
        people = await victims(room)
        replies = []
        for _ in range(30):
            hand = Hand()
            reply = Reply(hand.write, linger=60)
            room.store.follow(reply, ATTACKER)
            hand.say(Text("x" * 100_000), Done("end_turn"))
            await reply.closed()
            await room.store.flush()
            replies.append(reply.id)
        found = [bool(await room.store.log(reply)) for reply in replies]
        assert found == sorted(found)
        assert 5 <= sum(found) <= 10
        for visitor in people:
            await shows_still(visitor)


async def test_answers_to_one_visitor_do_not_push_out_those_to_others() -> None:
    """A program finds its ended reply in memory despite another visitor's many replies."""
    cache = Cache(keep=60, most=10_000)
    replies = [await ended(cache, "x" * 100, f"visitor {number}") for number in range(5)]
    flood = [await ended(cache, "x" * 3_000, ATTACKER) for _ in range(20)]
    assert all(known(cache, reply) for reply in replies)
    assert 1 <= sum(known(cache, reply) for reply in flood) <= 3


async def test_entries_about_replies_do_not_fill_the_file(tmp_path: Path) -> None:
    """The journal has its own bound, and evicts no tab."""
    async with a_room(tmp_path) as room:
        people = await victims(room)
        entries = [
            Entry(number, "m" * 1_000, "end_turn", False, 1, None, None, 0)
            for number in range(5_000)
        ]
        await room.store.run(partial(write, entries=entries, since=0, most=100))
        for visitor in people:
            await visitor.ask("And now?")
            await shows_still(visitor)
        await room.store.flush()
        assert len(await room.store.run(partial(read, since=0, most=5_000)) or []) < 200
        tabs = [await room.store.tab(room.page.tab_id(visitor.request)) for visitor in people]
        assert all(tabs)


async def test_the_file_names_no_visitor(tmp_path: Path) -> None:
    """In the file a visitor is a hash with this installation's salt."""
    owners = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        async with a_room(folder) as room:
            await Visitor(room, "203.0.113.77").ask("hi")
        with contextlib.closing(sqlite3.connect(folder / NAME)) as file:
            owners.append(file.execute("SELECT owner FROM tabs").fetchone()[0])
        assert b"203.0.113.77" not in (folder / NAME).read_bytes()
    assert len(owners[0]) == len(owners[1]) == 16
    assert owners[0] != owners[1]


async def test_a_file_without_owners_is_opened(tmp_path: Path) -> None:
    """Tabs in a file of the release before owners belong to the visitors who claim them."""
    shutil.copy(UNVERSIONED, tmp_path / NAME)
    for _ in range(2):
        async with a_room(tmp_path) as room:
            visitor = Visitor(room)
            await visitor.reload("a-tab-of-the-first-release")
            texts = [
                message["content"][0]["text"]
                for message in visitor.shown
                if not message.get("metadata")
            ]
            code = "    def f():\n        return 1"
            assert texts == [
                code,
                "A function.",
                "Why is the sky blue?",
                "It is Rayleigh scattering.",
            ]
            drafts = [
                (await room.page.claim("a-tab-of-the-first-release", code, visitor.opens("again")))[
                    1
                ]
            ]
            assert drafts == [{"__type__": "update"}]
            assert (await room.store.tab("another-tab") or {})["before"][0]["content"][0][
                "text"
            ].startswith("ä中😀")
    with contextlib.closing(sqlite3.connect(tmp_path / NAME)) as file:
        assert file.execute("SELECT COUNT(*) FROM spending").fetchone() == (1,)
        assert holdings(file) == actual(file)


async def test_processes_that_open_an_old_file_at_once_do_no_harm(tmp_path: Path) -> None:
    """Five processes that open an old file at once migrate it once, and all continue."""
    shutil.copy(UNVERSIONED, tmp_path / NAME)
    stores = [Store(str(tmp_path)) for _ in range(5)]
    await asyncio.gather(*(store.open() for store in stores))
    for store in stores:
        assert await store.tab("another-tab")
        await store.close()


def holdings(file: sqlite3.Connection | Transaction) -> dict[bytes, int]:
    return {
        owner: size
        for owner, size in file.execute("SELECT owner, bytes FROM holdings").fetchall()
        if size
    }


def actual(file: sqlite3.Connection | Transaction) -> dict[bytes, int]:
    rows = "(SELECT owner, size FROM tabs UNION ALL SELECT owner, size FROM events)"
    return dict(file.execute(f"SELECT owner, SUM(size) FROM {rows} GROUP BY owner").fetchall())


names = st.sampled_from(["a", "b", "c"])
deed = st.tuples(
    st.sampled_from(["put", "copy", "log"]), names, names, st.sampled_from(["anna", "bert", None])
)


@given(deeds=st.lists(deed, max_size=12))
async def test_counted_bytes_are_those_of_the_rows(
    deeds: list[tuple[str, str, str, str | None]],
) -> None:
    """The bytes counted for an owner equal the bytes of the owner's rows after any sequence of
    writes and evictions."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder, visitor_bytes=3_000, max_bytes=5_000)
        await store.open()
        for kind, name, other, visitor in deeds:
            if kind == "put":
                store.put_tab(name, {"text": "x" * 1_000, "reply": other}, visitor)
            elif kind == "copy":
                store.put_copy(name, other, visitor)
            else:
                hand = Hand()
                reply = Reply(hand.write, linger=60, reply_id=name)
                hand.say(Text("y" * 700), Done("end_turn"))
                await reply.closed()
                store.follow(reply, visitor)
            await store.flush()
            found = await store.run(lambda file: (holdings(file), actual(file)))
            assert found
            assert found[0] == found[1]
            assert sum(found[0].values()) <= 5_000
            assert all(size <= 3_000 for owner, size in found[0].items() if owner)
        await store.close()


put = st.tuples(st.sampled_from(["victim", "a", "b"]), st.integers(0, 30), st.integers(0, 40))


@given(puts=st.lists(put, max_size=60))
def test_a_shelf_takes_from_who_has_most(puts: list[tuple[str, int, int]]) -> None:
    """A full shelf evicts a value of the owner with most values, whatever the values weigh."""
    shelf: Shelf[tuple[str, int], int] = Shelf(most=10, share=100)
    for owner, number, weight in puts:
        before = {key for key, _ in shelf.items()}
        shelf.put((owner, number), weight, owner, weight)
        lost = before - {key for key, _ in shelf.items()}
        assert len(shelf) <= 10
        for other, _ in lost - {(owner, number)}:
            most = max(sum(key[0] == name for key in before) for name in ("victim", "a", "b"))
            assert other == owner or sum(key[0] == other for key in before) >= most
        weights = sum(weight for key, weight in shelf.items() if key[0] == owner)
        assert weights <= 100


def test_held_values_are_never_dropped() -> None:
    """A shelf keeps the values that its `held` predicate protects."""
    shelf: Shelf[int, str] = Shelf(most=2, held=lambda value: value == "runs")
    for number in range(5):
        shelf.put(number, "runs", "busy")
    for number in range(10, 20):
        shelf.put(number, "rests", f"visitor {number}")
    assert [key for key, _ in shelf.items()] == [0, 1, 2, 3, 4, 18, 19]
