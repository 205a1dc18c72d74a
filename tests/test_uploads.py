"""Files that are sent from the page: kept once for their reader, and for no longer than their
conversations."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Route, expect

from streamchat.attachments import Upload
from streamchat.chat.kept_files import KeptFiles, light, restored
from streamchat.errors import AttachmentRejected
from streamchat.events import Message
from streamchat.replies.reply import Reply
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.store import NAME, Card, Store, conversations
from streamchat.store.files import MOST_UNUSED, UNUSED
from streamchat.texts import text
from streamchat.ui.attached import digests, files_of, with_files
from streamchat.ui.states import state_of
from streamchat.ui.tab import Tab
from streamchat.ui.transcript import message_of
from tests.files import pdf, picture, unhurried, zipped
from tests.hand import Hand
from tests.page import Page
from tests.reader import Reader

# the server checks a file in a process of its own
pytestmark = pytest.mark.process

WORD = zipped("[Content_Types].xml", "word/document.xml")


@dataclass
class Here:
    running: Running
    folder: Path
    reader: Reader

    def rows(self) -> int:
        """How many files are in the database."""
        with closing(sqlite3.connect(self.folder / NAME, timeout=20)) as file:
            return int(file.execute("SELECT COUNT(*) FROM files").fetchone()[0])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    with (
        create(Settings(data_dir=str(tmp_path), rate_limit="off")).launch() as running,
        Reader(running.url) as reader,
    ):
        yield Here(running, tmp_path, reader)


def test_a_file_goes_from_the_page_to_the_source_and_into_the_conversation(here: Here) -> None:
    """The answer tells of it; a question about it later, a list and an export know it; the same
    file is kept once."""
    reader = here.reader
    red, paper = (
        reader.adds(picture(size=(600, 400))).json(),
        reader.adds(pdf("Rivers"), "p.pdf").json(),
    )
    assert (red["kind"], red["width"], red["height"]) == ("picture", 600, 400)
    assert (paper["kind"], paper["pages"], paper["name"]) == ("pdf", 1, "p.pdf")
    id_, said = reader.hears("What is it?", files=[red["id"], paper["id"]])
    assert "a picture of 600 × 400 pixels" in json.loads(f'"{_plain(said)}"')
    turns = reader.client.get(f"conversations/{id_}/files").json()["turns"]
    assert turns == {"0": [red, paper]}
    shown = reader.client.get(f"files/{red['id']}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    saved = reader.client.get(f"files/{paper['id']}")
    assert saved.content == pdf("Rivers")
    assert saved.headers["content-disposition"] == "attachment"
    export = reader.client.get(f"conversations/{id_}/export", params={"format": "md"}).text
    assert "*red.png*, *p.pdf*\n\nWhat is it?" in export
    reader.hears("And again?", files=[reader.adds(picture(size=(600, 400))).json()["id"]])
    assert here.rows() == 2


def test_an_export_carries_its_files(here: Here) -> None:
    """Another reader imports an equal conversation, with files that are theirs; each stands in the
    export once."""
    reader, photo = here.reader, picture("JPEG", size=(600, 400))
    files = [reader.adds(photo, "é.jpg"), reader.adds(pdf("Rivers"), "p.pdf")]
    files.append(reader.adds(b"a = 1\n" * 9_000, "a.py"))
    ids = [file.json()["id"] for file in files]
    id_, _ = reader.hears("", files=ids)
    reader.hears("And this?", id_, files=ids[:1])
    for path in ("conversations/export", f"conversations/{id_}/export"):
        file = reader.client.get(path)
        assert file.json()["files"].keys() == set(ids)
        with Reader(here.running.url) as other:
            imported = other.client.post("conversations/import", content=file.content)
            assert imported.json() == {"imported": 1}
            assert other.client.get("conversations/export").content == file.content
            (new,) = [item["id"] for item in other.items()]
            told = other.client.get(f"conversations/{new}/files").json()["turns"]
            assert [[each["name"] for each in turn] for turn in told.values()] == [
                ["é.jpg", "p.pdf", "a.py"],
                ["é.jpg"],
            ]
            assert other.client.get(f"files/{ids[1]}").content == pdf("Rivers")


def _plain(events: str) -> str:
    """The last answer in the events, as it stands in their JSON."""
    return events.rpartition('["')[2].rpartition('"]')[0]


def test_a_file_is_there_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation with three kinds of them, its list of files and the files are found again,
    and a question about them is answered."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    settings = Settings(data_dir=str(tmp_path), rate_limit="off")
    with create(settings).launch() as running, Reader(running.url) as reader:
        added = [reader.adds(picture()), reader.adds(pdf("Rivers"), "p.pdf")]
        files = [each.json() for each in [*added, reader.adds(b"a = 1", "a.py")]]
        id_, said = reader.hears("", files=[file["id"] for file in files])
        cookies = reader.client.cookies
    with create(settings).launch() as running, Reader(running.url, cookies=cookies) as reader:
        assert reader.client.get(f"conversations/{id_}/files").json()["turns"] == {"0": files}
        assert {reader.client.get(f"files/{file['id']}").status_code for file in files} == {200}
        again = reader.hears("And?", id_)[1]
        assert all(f"**{name}**" in said + again for name in ("red.png", "p.pdf", "a.py"))
        assert reader.titles() == ["red.png, p.pdf, a.py"]


@dataclass
class Kept:
    """A store with a clock, and the files in it."""

    store: Store
    files: KeptFiles
    now: float = 1_000_000.0

    async def add(self, name: str, visitor: str = "a visitor") -> dict[str, Any]:
        self.now += 1
        text = Upload(name, f"the words of {name}", "text/plain", "text")
        return light(await self.files.add(text, "a reader", visitor))

    async def converse(self, tab: str, *files: dict[str, Any]) -> None:
        """The conversation has these files."""
        messages = [with_files(message_of("user", "hi"), files)]
        kept = Tab(messages, reader="a reader")
        card = Card("a reader", "A title", "hi")
        self.store.put_tab(tab, state_of(kept), "a visitor", card=card)
        await self.store.flush()

    async def there(self, *files: dict[str, Any]) -> list[bool]:
        found = await self.files.read([file["digest"] for file in files], "a reader")
        return [file["digest"] in found for file in files]

    async def delete(self, tab: str) -> None:
        """Deletes the conversation, and waits until it cannot be restored."""
        work = partial(conversations.delete, reader="a reader", id_=tab, now=self.now)
        assert await self.store.run(work)
        self.now += conversations.UNDO + 1
        await self.store.purge()


@asynccontextmanager
async def keeping(folder: Path, **bounds: int) -> AsyncIterator[Kept]:
    store = Store(str(folder), clock=lambda: kept.now, **bounds)
    kept = Kept(store, KeptFiles(store, unhurried()))
    await store.open()
    try:
        yield kept
    finally:
        await store.close()


async def test_a_file_goes_with_its_last_conversation(tmp_path: Path) -> None:
    """Deleting one of two conversations leaves it; deleting the other takes every byte of it."""
    async with keeping(tmp_path) as kept:
        file = await kept.add("secret.txt")
        await kept.converse("one", file)
        await kept.converse("two", file)
        await kept.delete("one")
        assert await kept.there(file) == [True]
        await kept.delete("two")
        assert await kept.there(file) == [False]
    assert b"the words of" not in contents(tmp_path)


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_file_that_no_conversation_has_goes_after_a_while(tmp_path: Path) -> None:
    """One that was never sent, and one whose question was taken back; one that is sent stays."""
    async with keeping(tmp_path) as kept:
        sent, unsent, taken_back = [await kept.add(name) for name in ("a", "b", "c")]
        await kept.converse("one", sent, taken_back)
        await kept.converse("one", sent)
        assert await kept.there(sent, unsent, taken_back) == [True, True, True]
        kept.now += UNUSED + 10
        await kept.converse("another", await kept.add("another"))
        assert await kept.there(sent, unsent, taken_back) == [True, False, False]


async def test_of_files_that_are_never_sent_few_are_kept(tmp_path: Path) -> None:
    """A visitor who sends files without a message fills no disk."""
    async with keeping(tmp_path) as kept:
        files = [await kept.add(f"{number}") for number in range(MOST_UNUSED + 2)]
        assert await kept.there(*files) == [False] * 2 + [True] * MOST_UNUSED


async def test_files_count_as_what_their_visitor_holds(tmp_path: Path) -> None:
    """Over the bound the visitor's oldest conversation goes, with its files; others keep theirs."""
    async with keeping(tmp_path, visitor_bytes=6_000) as kept:
        other = await kept.add("other", "another visitor")
        files = []
        for number in range(12):
            files.append(await kept.add(f"{number}"))
            await kept.converse(f"tab-{number}", files[-1])
        there = await kept.there(*files)
        assert there == sorted(there)
        assert (there[0], there[-1], await kept.there(other)) == (False, True, [True])


async def test_a_message_remains_when_its_file_is_gone(tmp_path: Path) -> None:
    """Claude reads that there was one, and the conversation goes on."""
    async with keeping(tmp_path) as kept:
        gone, there = restored({**LOST, "digest": "0" * 64}), await kept.add("there.txt")
        said = [Message("user", "hi", (gone, restored(there)))]
        (message,) = await kept.files.loaded(said, "a reader")
        assert message.text == f"{text('file_gone', name='lost.txt')}\n\nhi"
        assert [file.data for file in message.files] == ["the words of there.txt"]
        (strangers,) = await kept.files.loaded(said, "another reader")
        assert strangers.files == ()


LOST: dict[str, Any] = {"name": "lost.txt", "media_type": "text/plain", "tokens": 1, "size": 1}


async def test_a_file_that_claude_rejects_leaves_the_conversation() -> None:
    """The next message, and the same one again, go without it; earlier files stay."""
    first, second = ({**LOST, "digest": each * 64} for each in "ab")
    tab = Tab([with_files(message_of("user", "one"), [first]), message_of("assistant", "Yes.")])
    asked = tab.asking(1, "two", files=[second])
    source = Hand()
    source.say(AttachmentRejected())
    reply = Reply(source.write, linger=None)
    tab.begin(asked, reply)
    await reply.closed()
    assert digests(tab.asking(2, "three")) == [first["digest"]]
    assert digests(tab.asking(1, "two")) == [first["digest"]]


async def test_a_question_that_is_asked_again_keeps_its_files() -> None:
    """Also if it is edited; a new question has none of it."""
    file = {**LOST, "digest": "a" * 64}
    said = [with_files(message_of("user", "one"), [file]), message_of("assistant", "Yes.")]
    for words in ("one", "edited"):
        assert digests(Tab(said).asking(0, words)) == [file["digest"]]
    assert files_of(Tab(said).asking(1, "two")[-1]) == []


def test_files_on_the_page(here: Here, chromium: Browser, tmp_path: Path) -> None:
    """A reader chooses two files, reads why a third is not taken, removes one and sends the other
    once, without a word, which names the conversation; it stands above the question, also after a
    reload, and goes along when the question is edited."""
    names = {"red.png": picture(), "paper.pdf": pdf("Rivers"), "letter.docx": WORD}
    for name, data in names.items():
        (tmp_path / name).write_bytes(data)
    with chromium.new_context() as context:
        page = Page(context, here.running.url)
        chosen = page.browser.locator("#files li")
        page.browser.locator("input[multiple]").set_input_files([tmp_path / name for name in names])
        expect(page.browser.locator("#file-problem")).to_have_text(
            text("file_office", name="letter.docx")
        )
        expect(chosen).to_have_count(2)
        page.press("Remove paper.pdf")
        page.box.press("Enter")
        page.box.press("Enter")
        page.shows("red.png is a picture of 60 × 40 pixels")
        expect(page.questions).to_have_count(1)
        expect(chosen).to_have_count(0)
        title = page.browser.locator("#sidebar").get_by_role("link", name="red.png")
        expect(title).to_be_visible()
        above = page.browser.locator("[data-testid=user] .sc-files img")
        expect(above).to_have_attribute("alt", "red.png")
        page.ready()
        page.browser.reload()
        expect(above).to_have_attribute("alt", "red.png")
        assert above.evaluate("(it) => it.decode().then(() => it.naturalWidth)") == 60
        page.ready()
        page.press("Retry")
        page.shows("red.png is a picture of 60 × 40 pixels")
        page.ready()
        page.press("Undo")
        expect(chosen).to_have_text(["red.png"])
        page.ask("And now?")
        page.shows("You asked: “And now?”")
        expect(above).to_have_attribute("alt", "red.png")
        assert page.errors == []


def test_a_refused_question_is_asked_again_with_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chromium: Browser
) -> None:
    """The question stays on the page with its file; once it may be asked, Retry sends both."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    settings = Settings(data_dir=str(tmp_path / "data"), rate_limit="off", visitor_replies=1)
    (tmp_path / "red.png").write_bytes(picture())
    with create(settings).launch() as running, chromium.new_context() as context:
        page = Page(context, running.url)
        page.browser.locator("input[multiple]").set_input_files(tmp_path / "red.png")
        expect(page.browser.locator("#files li progress")).to_have_count(0)
        api, long = (
            httpx.Client(base_url=running.url),
            {"message": "Write me 2,000 words about rivers"},
        )
        with api.stream("POST", "api/streaming-chat", json=long) as other:
            page.ask("What is it?")
            page.shows("You have an answer running.")
            above = page.questions.last.locator(".sc-files img")
            expect(above).to_have_attribute("alt", "red.png")
            api.delete(other.headers["location"])
        page.ready()
        page.press("Retry")
        page.shows("red.png is a picture of 60 × 40 pixels")
        expect(above).to_have_attribute("alt", "red.png")
        page.ready()
        page.browser.reload()
        expect(above).to_have_attribute("alt", "red.png")


def test_a_page_waits_for_a_busy_server_and_keeps_the_message(
    here: Here, chromium: Browser, tmp_path: Path
) -> None:
    """A lost connection is said and the message stays in the box; a busy server is asked again,
    and the message that waits for the file goes out with it."""
    (tmp_path / "red.png").write_bytes(picture())
    with chromium.new_context() as context:
        page = Page(context, here.running.url)
        answers = iter(["lost", "busy", "busy"])

        def answered(route: Route) -> None:
            match next(answers, ""):
                case "lost":
                    route.abort("connectionreset")
                case "busy":
                    route.fulfill(status=503, headers={"Retry-After": "1"}, json={"message": "No."})
                case _:
                    route.continue_()

        page.browser.route("**/files?name=*", answered)
        chooser, problem = page.browser.locator("input[multiple]"), "#file-problem"
        page.box.fill("What is it?")
        chooser.set_input_files(tmp_path / "red.png")
        expect(page.browser.locator(problem)).to_contain_text("The chat cannot be reached.")
        expect(page.browser.locator("#files li")).to_have_count(0)
        expect(page.box).to_have_value("What is it?")
        chooser.set_input_files(tmp_path / "red.png")
        page.box.press("Enter")
        page.shows("red.png is a picture of 60 × 40 pixels")
        expect(page.browser.locator(problem)).to_have_text("")
        expect(page.questions).to_have_count(1)


def test_a_dropped_and_a_pasted_file(here: Here, chromium: Browser) -> None:
    """Both ways lead to the same place as the button."""
    with chromium.new_context() as context:
        page = Page(context, here.running.url)
        for kind, field, name in (
            ("drop", "dataTransfer", "a.txt"),
            ("paste", "clipboardData", "b.txt"),
        ):
            page.box.evaluate(
                """(box, [kind, field, name]) => {
                    const data = new DataTransfer();
                    data.items.add(new File([`the words of ${name}`], name, { type: "text/plain" }));
                    const Kind = kind === "drop" ? DragEvent : ClipboardEvent;
                    box.dispatchEvent(new Kind(kind, { bubbles: true, cancelable: true, [field]: data }));
                }""",
                [kind, field, name],
            )
        expect(page.browser.locator("#files li progress")).to_have_count(0)
        expect(page.browser.locator("#files li")).to_have_text(["a.txt", "b.txt"])
        page.ask("What are these?")
        page.shows("b.txt is a text of 1 line")
