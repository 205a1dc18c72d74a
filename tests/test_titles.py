"""Titles that the cheapest Claude gives to saved conversations."""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import genai_prices
import httpx
import pytest
from genai_prices.data import providers
from playwright.sync_api import BrowserContext, expect
from pydantic import SecretStr

from streamchat.chat import titles
from streamchat.chat.asking import Chat
from streamchat.chat.errands import Errands
from streamchat.chat.parties import Asker, Sources
from streamchat.chat.pause import Pause
from streamchat.events import Message, Usage
from streamchat.money import Accounts, Budget, Prices
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.sources.claude import Claude
from streamchat.sources.demo import Demo
from streamchat.sources.lazy import LazySource
from streamchat.store import Store, conversations
from streamchat.ui import Tab, Tabs, Titling, message_of
from streamchat.ui import titles as named_questions
from streamchat.ui.states import state_of, tab_of
from tests.page import Page
from tests.reader import Reader
from tests.scripted_claude import (
    Hold,
    Script,
    ScriptedClaude,
    delta,
    ends,
    opens,
    refuses,
    says,
    start,
    streams,
)
from tests.served import until

QUESTION = "How do I cook lasagne?"
# what the scripted Claude counts
USED = Usage(25, 42)
ASKED = (Message("user", titles.asked(QUESTION)),)
WORST = Prices(titles.MODEL).worst(ASKED, titles.TITLE.system, 64)


@pytest.fixture
def settings(claude: ScriptedClaude, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", claude.url)
    return Settings(data_dir=str(tmp_path), own_keys="on", rate_limit="off")


@pytest.fixture
def here(settings: Settings) -> Iterator[Running]:
    with create(settings).launch() as running:
        yield running


def named(reader: Reader) -> str:
    """The title of the newest conversation, once none is on its way."""
    while True:
        item = reader.items()[0]
        if not item["naming"]:
            return str(item["title"])


def test_the_first_answer_is_followed_by_one_short_call(
    here: Running, claude: ScriptedClaude
) -> None:
    """The cheapest model reads the first question alone, without thinking, and a second question
    changes nothing."""
    claude.play(says("An answer"), says("Lasagne\n", "at home"), says("Another"))
    with Reader(here.url) as reader:
        id_ = reader.asks(QUESTION + " x" * 2_000)
        assert named(reader) == "Lasagne"
        reader.asks("And pizza?", id_)
        assert named(reader) == "Lasagne"
    body = claude.exchange(1).body
    assert body.pop("system").startswith("You name conversations.")
    sent = (QUESTION + " x" * 2_000)[: titles.MAX_QUESTION]
    assert body == {
        "model": "claude-haiku-5-5",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": f"<question>\n{sent}\n</question>"}],
        "thinking": {"type": "disabled"},
        "output_config": {"effort": "low"},
        "stream": True,
    }
    assert [each.body["max_tokens"] for each in claude.exchanges] == [16_000, 64, 16_000]


def test_the_model_of_titles_is_the_cheapest_that_has_a_price() -> None:
    """A cheaper model makes the test fail, with that model's name."""
    models = [each.id for one in providers if one.id == "anthropic" for each in one.models]
    usage = genai_prices.Usage(input_tokens=500, output_tokens=15)

    def price(model: str) -> Any:
        return genai_prices.calc_price(usage, model, provider_id="anthropic").total_price

    assert min(models, key=price) == titles.MODEL


FAILURES: dict[str, Script] = {
    "limited": refuses(429, "rate_limit_error", retry_after="1"),
    "busy": refuses(529, "overloaded_error"),
    "unknown model": refuses(404, "not_found_error", "model: claude-haiku-5-5"),
    "rejected": refuses(400, "invalid_request_error", "thinking: not supported"),
    "no credit": refuses(400, "invalid_request_error", "Your credit balance is too low"),
    "refusal": says("I cannot", reason="refusal"),
    "cut": says("A title that never comes to its", reason="max_tokens"),
    "empty": says(),
    "blank": says("\n \n"),
    "nothing but marks": says("\u202e\u0000\u2066"),
    "an essay": says("Lasagne " * 625),
    "broken": streams(start(), opens(), delta("Las")),
}


def test_a_call_that_fails_is_not_made_again(here: Running, claude: ScriptedClaude) -> None:
    """A failed call is not repeated after the next answer: the title stays the question's first
    words."""
    claude.play(says("An answer"), refuses(529, "overloaded_error"), says("Another"))
    with Reader(here.url) as reader:
        id_ = reader.asks(QUESTION)
        assert named(reader) == QUESTION
        reader.asks("And pizza?", id_)
        assert named(reader) == QUESTION
    assert len(claude.exchanges) == 3


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Lasagne at home", "Lasagne at home"),
        ('"Lasagne at home."', "Lasagne at home"),
        ("## **Lasagne**", "Lasagne"),
        ("The **best** lasagne", "The best lasagne"),
        ("Learning C#", "Learning C#"),
        ("\n\n Lasagne \r\nSecond line", "Lasagne"),
        ("Las\u202eagne\u2069 \u200bat\x07 home\x9b", "Lasagne at home"),
        ("1\u20282", "1"),
        ("👩\u200d🍳 می\u200cپزم", "👩\u200d🍳 می\u200cپزم"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("word " * 20, "word " * 10 + "word…"),
        ("x" * 121, ""),
        ("\ud800", "?"),
        ("", ""),
    ],
)
def test_a_title_is_one_short_line_of_text(written: str, title: str) -> None:
    """Any answer, even to an injected prompt, becomes a short line of plain text."""
    assert titles.from_answer(written) == title


def test_a_reader_who_brings_a_key_pays_for_the_title(
    here: Running, claude: ScriptedClaude
) -> None:
    """The visitor's key pays for the title, as for the answer."""
    claude.play(says("An answer"), says("Lasagne"))
    with Reader(here.url, headers={"x-api-key": "sk-ant-own"}) as reader:
        reader.asks(QUESTION)
        assert named(reader) == "Lasagne"
    keys = [each.headers["authorization"] for each in claude.exchanges]
    assert keys == ["Bearer sk-ant-own"] * 2


def test_a_renamed_conversation_keeps_its_name(here: Running, claude: ScriptedClaude) -> None:
    """A title that arrives after the renaming is dropped."""
    hold = Hold()
    claude.play(says("An answer"), streams(start(), opens(), delta("No"), hold, ends()))
    with Reader(here.url) as reader:
        id_ = reader.asks(QUESTION)
        assert hold.reached.wait(20)
        reader.client.patch(f"conversations/{id_}", json={"title": "Mine"})
        hold.release()
        assert named(reader) == "Mine"


@pytest.mark.parametrize("meanwhile", ["deleted", "asked", "edited"])
async def test_a_late_title_changes_nothing_else(
    settings: Settings, claude: ScriptedClaude, tmp_path: Path, meanwhile: str
) -> None:
    """A title that arrives when the conversation has left memory neither restores it after a
    deletion, nor takes back what was asked or edited meanwhile."""
    hold, store, asker = Hold(), Store(str(tmp_path)), Asker("me")
    await store.open()
    claude.play(says("An answer"), streams(start(), opens(), delta("Lasagne"), hold, ends()))
    asking = Asking(settings, 1, store)
    tabs = Tabs(asking.chat, store, max_tabs=1)

    def save(id_: str, *texts: str) -> None:
        messages = [message_of("user", text) for text in texts]
        tabs.save(id_, Tab(messages, reader="me", title=""), "me")

    reply = await asking.chat.ask([Message("user", QUESTION)], asker)
    await reply.closed()
    tab = Tab([message_of("user", QUESTION)], reply=reply, reader="me")
    titling = Titling(asking.chat, tabs)
    titling.answered("id", tab, reply, asker)
    tabs.save("id", tab, "me")
    await asyncio.to_thread(hold.reached.wait, 20)
    if meanwhile == "asked":
        save("id", QUESTION, "And pizza?")
    elif meanwhile == "edited":
        save("id", "Where is Ulm?")
    save("other", "hi")
    await store.flush()
    if meanwhile == "deleted":
        await store.run(partial(conversations.delete, reader="me", id_="id", now=store.now()))
    hold.release()
    await until(lambda: not tabs.naming)
    # what is written late is written now
    await store.flush()
    item = await store.run(partial(conversations.item, reader="me", id_="id"))
    found = await tabs.find("id", "me")
    if meanwhile == "deleted":
        assert (item, found) == (None, None)
    elif meanwhile == "asked":
        assert (item and item.title, found and len(found.before)) == ("Lasagne", 2)
        # and the next change keeps it
        assert found
        assert found.title == "Lasagne"
    else:
        assert item
        assert item.title == "Where is Ulm?"
    await asking.chat.close()
    await store.close()


async def test_only_a_conversation_without_a_name_gets_one(tmp_path: Path) -> None:
    """No title is requested for a renamed or a deleted conversation."""
    store = Store(str(tmp_path))
    await store.open()
    tabs = Tabs(Chat(Sources(Demo()), store, linger=60, keep=60), store)
    tab = Tab([message_of("user", "hi")], reader="me")
    tabs.save("id", tab)
    assert await tabs.may_be_named("id", tab)
    await store.run(partial(conversations.delete, reader="me", id_="id", now=1))
    assert not await tabs.may_be_named("id", tab)
    tabs.save("id", tab)
    await store.flush()
    await store.run(partial(conversations.rename, reader="me", id_="id", title="Mine"))
    assert not await tabs.may_be_named("id", tab)
    assert not await Tabs(
        Chat(Sources(Demo()), Store(""), linger=60, keep=60), Store("")
    ).may_be_named("", tab)
    await store.close()


def test_a_title_does_not_restore_a_deleted_conversation(
    here: Running, claude: ScriptedClaude
) -> None:
    """A title that arrives after the deletion is dropped; a restored conversation has its first
    words as title."""
    hold = Hold()
    claude.play(says("An answer"), streams(start(), opens(), delta("No"), hold, ends()))
    with Reader(here.url) as reader:
        id_ = reader.asks(QUESTION)
        assert hold.reached.wait(20)
        reader.client.delete(f"conversations/{id_}")
        hold.release()
        # the server has read the title by the time it has answered this
        claude.play(says("Another"), says("A title"))
        reader.asks("And pizza?")
        assert (named(reader), reader.titles()) == ("A title", ["A title"])
        assert reader.client.post(f"conversations/{id_}/restore").json()["title"] == QUESTION


def test_a_title_needs_no_reader_and_survives_a_restart(
    settings: Settings, claude: ScriptedClaude
) -> None:
    """A title arrives although its reader has left, is found by a search, and is not requested
    again."""
    hold = Hold()
    title = streams(start(), opens(), delta("Garfield's favourite"), hold, ends())
    claude.play(says("An answer"), title, says("Another"))
    with create(settings).launch() as app:
        with Reader(app.url) as reader:
            id_, cookies = reader.asks(QUESTION), dict(reader.client.cookies)
        assert hold.reached.wait(20)
        hold.release()
        with Reader(app.url, cookies=cookies) as reader:
            assert named(reader) == "Garfield's favourite"
    with create(settings).launch() as app, Reader(app.url, cookies=cookies) as reader:
        reader.asks("And pizza?", id_)
        assert named(reader) == "Garfield's favourite"
        assert reader.titles(q="garfield") == ["Garfield's favourite"]
    assert len(claude.exchanges) == 3


def test_no_title_is_asked_for_where_the_owner_wants_none(
    settings: Settings, claude: ScriptedClaude
) -> None:
    """With titles off, the first words are the title."""
    off = settings.model_copy(update={"titles": "off"})
    with create(off).launch() as app, Reader(app.url) as reader:
        reader.asks(QUESTION)
        assert named(reader) == QUESTION
    assert len(claude.exchanges) == 1


def test_a_title_counts_as_spending_and_not_as_an_answer(
    settings: Settings, claude: ScriptedClaude, caplog: pytest.LogCaptureFixture
) -> None:
    """The owner sees one answer and the cost of both calls; the log has a line for each."""
    claude.play(says("An answer"), says("Lasagne"))
    caplog.set_level("INFO", logger="streamchat.replies")
    owned = settings.model_copy(update={"owner_password": SecretStr("owner's own")})
    with create(owned).launch() as app, Reader(app.url) as reader:
        reader.asks(QUESTION)
        assert named(reader) == "Lasagne"
        figures = httpx.get(f"{app.url}owner/state", auth=("", "owner's own")).json()
    both = Prices("claude-sonnet-5-5").cost(USED) + Prices("claude-haiku-5-5").cost(USED)
    assert figures["money"]["spent"] == pytest.approx(both, abs=2e-6)
    hour = figures["hours"][-1]
    assert (hour["replies"], hour["cost"]) == (1, pytest.approx(both, abs=1e-9))
    assert [each["reason"] for each in figures["endings"]] == ["end_turn"]
    lines = [json.loads(each.message) for each in caplog.records if each.message[:1] == "{"]
    assert [each["event"] for each in lines] == ["reply", "title"]


def late(settings: Settings) -> LazySource:
    return LazySource("Claude", settings.model, lambda: Claude(settings))


async def at_once(_: float) -> None:
    pass


class Asking:
    """A chat in front of Claude, with a budget of so many dollars."""

    def __init__(self, settings: Settings, dollars: float, store: Store | None = None) -> None:
        self.budget = Budget(Store(""), daily=dollars, visitor=None)
        prices = Prices("claude-sonnet-5-5")
        accounts = Accounts(self.budget, prices, "Be brief.", 100)
        store = store or Store("")
        self.sources = Sources(late(settings), accounts)
        self.chat = Chat(self.sources, store, linger=60, keep=60)

    async def title(self) -> str:
        return await titles.title_for(self.chat.run, QUESTION, Asker("me"))


@pytest.mark.parametrize("script", FAILURES.values(), ids=FAILURES)
async def test_an_unusable_title_is_dropped(
    settings: Settings, claude: ScriptedClaude, script: Script
) -> None:
    """An unusable answer gives no title and no second call."""
    claude.play(script, says("A second call"))
    asking = Asking(settings, 1)
    assert await asking.title() == ""
    await asking.chat.close()
    assert len(claude.exchanges) == 1


async def test_a_model_that_is_out_of_reach_is_asked_once(
    settings: Settings, claude: ScriptedClaude, caplog: pytest.LogCaptureFixture
) -> None:
    """As behind a gateway without it: the owner reads of it, and no further title is asked for."""
    claude.play(refuses(404, "not_found_error", f"model: {titles.MODEL}"), says("A title"))
    asking = Asking(settings, 1)
    assert [await asking.title(), await asking.title()] == ["", ""]
    await asking.chat.close()
    assert len(claude.exchanges) == 1
    assert caplog.text.count(titles.MODEL) == 1


async def test_titles_have_a_bounded_number_of_places(
    settings: Settings, claude: ScriptedClaude
) -> None:
    """Beyond it there is no title; a place is free again after the end."""
    hold = Hold()
    held = streams(start(), opens(), delta("Lasagne"), hold, ends())
    claude.play(held, held, says("Pizza"))
    settling: list[asyncio.Task[None]] = []
    asking = Asking(settings, 1)
    errands = Errands(
        asking.sources,
        Pause(Store("")),
        lambda work: settling.append(asyncio.create_task(work)),
        most=2,
    )
    title = partial(titles.title_for, errands.run, QUESTION, Asker("me"))
    running = [asyncio.create_task(title()) for _ in range(2)]
    await asyncio.to_thread(claude.exchange, 1)
    assert await title() == ""
    hold.release()
    assert await asyncio.gather(*running) == ["Lasagne"] * 2
    assert await title() == "Pizza"
    await asyncio.gather(*settling)
    await asking.chat.close()


async def test_a_slow_title_is_given_up(settings: Settings, claude: ScriptedClaude) -> None:
    """The connection is closed, and the upper bound of the cost is counted."""
    hold = Hold()
    claude.play(streams(start(), opens(), delta("Las"), hold))
    slow = Asking(settings, 1)
    reply = await slow.chat.run(titles.TITLE, titles.asked(QUESTION), Asker("me"))
    assert reply
    await asyncio.to_thread(hold.reached.wait, 20)
    assert await titles.read(reply, patience=0) == ""
    await asyncio.to_thread(claude.exchange(0).gone.wait, 20)
    await slow.chat.close()
    assert 0 < slow.budget.spent() <= WORST
    assert slow.budget.reserved() == 0


async def test_a_title_is_reserved_like_an_answer(
    settings: Settings, claude: ScriptedClaude
) -> None:
    """Without money for its worst case nothing is sent; otherwise that is reserved until Claude's
    count is known."""
    hold = Hold()
    claude.play(streams(start(), opens(), delta("Lasagne"), hold, ends()))
    poor, rich = Asking(settings, WORST - 1e-6), Asking(settings, WORST + 1e-6)
    assert await poor.title() == ""
    assert (claude.exchanges, poor.budget.spent()) == ([], 0)
    asking = asyncio.create_task(rich.title())
    await asyncio.to_thread(hold.reached.wait, 20)
    assert rich.budget.reserved() == pytest.approx(WORST, abs=1e-6)
    assert await rich.title() == ""
    hold.release()
    assert await asking == "Lasagne"
    await rich.chat.close()
    assert rich.budget.spent() == pytest.approx(Prices(titles.MODEL).cost(USED), abs=1e-6)
    assert len(claude.exchanges) == 1


async def test_no_title_is_asked_for_while_the_owner_has_paused_claude(
    settings: Settings, claude: ScriptedClaude
) -> None:
    """A pause also stops the calls for titles at the owner's expense."""
    chat = Asking(settings, 1)
    await chat.chat.pause.turn(on=True)
    assert await chat.title() == ""
    assert claude.exchanges == []


async def test_an_answer_that_is_written_again_leads_to_no_second_title(
    settings: Settings, claude: ScriptedClaude
) -> None:
    """Nor does one that was stopped, or that follows another one; each would be a call."""
    asking, asker = Asking(settings, 1), Asker("me")
    reply = await asking.chat.ask([Message("user", "hi")], asker)
    await reply.closed()
    tabs = Tabs(asking.chat, Store(""))
    first = message_of("user", "hi")

    def is_named(tab: Tab) -> bool:
        Titling(asking.chat, tabs).answered("id", tab, reply, asker)
        return bool(tabs.naming)

    assert not is_named(Tab([first], reply=reply, reader="me", title=""))
    assert not is_named(Tab([first, message_of("assistant", "1"), first], reply=reply, reader="me"))
    assert not is_named(Tab([first], reply=reply))
    assert not is_named(Tab([first], reply=reply, reader="me", kept=False))
    assert is_named(Tab([first], reply=reply, reader="me"))
    tabs.naming.clear()
    hold = Hold()
    claude.play(streams(start(), opens(), delta("Half"), hold))
    reply = await asking.chat.ask([Message("user", "hi")], asker)
    await asyncio.to_thread(hold.reached.wait, 20)
    reply.stop()
    await reply.closed()
    assert not is_named(Tab([first], reply=reply, reader="me"))
    await asking.chat.close()


async def test_the_demo_in_place_of_claude_leads_to_no_title(
    settings: Settings, claude: ScriptedClaude
) -> None:
    """If the demo answers because the money is spent, no title is requested."""
    budget = Budget(Store(""), daily=0, visitor=None)
    accounts = Accounts(budget, Prices("claude-sonnet-5-5"), "", 100)
    sources = Sources(late(settings), accounts, spare=Demo(sleep=at_once))
    chat = Chat(sources, Store(""), linger=60, keep=60)
    asker = Asker("me", or_spare=True)
    reply = await chat.ask([Message("user", "hi")], asker)
    await reply.closed()
    tab = Tab([message_of("user", "hi")], reply=reply, reader="me")
    Titling(chat, Tabs(chat, Store(""))).answered("id", tab, reply, asker)
    assert (reply.text != "", tab.title, claude.exchanges) == (True, None, [])
    await chat.close()


async def test_each_first_question_has_its_title(tmp_path: Path) -> None:
    """Later questions keep the title. An edited first question gets one of its own, and a version
    that is shown again has its title again, also after a restart."""
    first = [message_of("user", "One"), message_of("assistant", "1")]
    tab = Tab(first, title="Counting", reader="me")
    tab.branch([*first, message_of("user", "Two")])
    assert tab.title == "Counting"
    tab.branch([message_of("user", "Something else")])
    assert tab.title is None
    tab.title = "Another thing"
    tab = tab_of(state_of(tab), None, "id")
    tab.show(0)
    assert tab.title == "Counting"
    tab.show(2)
    assert tab.title == "Another thing"
    tab.undo(0)
    assert (tab.title, tab.titles) == (None, {})


def test_a_title_that_comes_late_is_kept_for_its_question() -> None:
    """Another version is shown meanwhile; of many first questions the last ones keep theirs."""
    tab = Tab([message_of("user", "0")], title="", reader="me")
    tab.branch([message_of("user", "1")])
    tab.titles = named_questions.late(tab.titles, "0", "Zero")
    assert named_questions.late(tab.titles, "never asked", "No") == tab.titles
    tab.show(0)
    assert tab.title == "Zero"
    for number in range(50):
        tab.title = str(number)
        tab.branch([message_of("user", f"Question {number}")])
    assert len(tab.titles) == named_questions.MOST


def test_a_title_arrives_without_a_reload(
    here: Running, claude: ScriptedClaude, context: BrowserContext
) -> None:
    """The sidebar and the window show the new title as plain text."""
    hold = Hold()
    title = "<img src=x onerror=alert(1)>"
    claude.play(says("An answer"), streams(start(), opens(), delta(title), hold, ends()))
    page = Page(context, here.url)
    expect(page.browser).to_have_title("StreamChat")
    page.ask(QUESTION)
    row = page.browser.locator("#sidebar li .chat-title")
    expect(row).to_have_text(QUESTION)
    expect(page.browser).to_have_title(f"{QUESTION} · StreamChat")
    assert hold.reached.wait(20)
    hold.release()
    expect(row).to_have_text(title)
    expect(page.browser).to_have_title(f"{title} · StreamChat")
    page.browser.get_by_role("button", name="New chat").first.click()
    expect(page.browser).to_have_title("StreamChat")
    assert not page.errors
