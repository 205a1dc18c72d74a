"""A conversation that gets long goes on in a new one, with a summary to read and edit first."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from streamchat.chat.fullness import SHORT, WINDOW, fullness
from streamchat.events import Conversation, Message
from streamchat.money import Accounts, Prices
from streamchat.money.budget import Budget
from streamchat.options import OWNERS, Choice
from streamchat.saved.summary import SUMMARISE
from streamchat.server import Running, create
from streamchat.settings import Settings
from streamchat.store import Store
from tests.page import Page
from tests.reader import Reader
from tests.scripted_claude import ScriptedClaude, refuses, says

# so long that it may cost all that a visitor may spend here
LONG = "word " * 25_000
MODELS = "claude-haiku-5-5"


@pytest.fixture
def here(claude: ScriptedClaude, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", claude.url)
    settings = Settings(data_dir="", models=MODELS, own_keys="on", rate_limit="off")
    with create(settings).launch() as running:
        yield running


def conversation(size: int) -> Conversation:
    return (Message("user", "x" * size),)


@pytest.mark.parametrize("choice", [OWNERS, Choice("claude-haiku-5-5")], ids=["sonnet", "haiku"])
async def test_a_conversation_is_full_where_its_next_answer_cannot_be_paid(choice: Choice) -> None:
    """A conversation is full exactly when its next question would be refused."""
    budget = Budget(Store(""), daily=5, visitor=0.5)
    haiku = {"claude-haiku-5-5": Prices("claude-haiku-5-5")}
    accounts = Accounts(budget, Prices("claude-sonnet-5-5"), "Be brief.", 16_000, others=haiku)

    def used(size: int) -> float:
        return fullness(conversation(size), choice, accounts, "visitor")

    assert used(SHORT - 1) == 0
    sizes = range(SHORT, 4_000_000, 10_000)
    first = next(size for size in sizes if used(size) >= 1)
    worst = accounts.of(choice.model).worst
    by_money = worst(conversation(first), "Be brief.", 16_000) >= 0.5
    assert by_money or first >= 3 * WINDOW
    assert worst(conversation(first - 10_000), "Be brief.", 16_000) < 0.5
    await budget.reserve("a", "visitor", 0.4)
    await budget.settle("a", 0.4)
    # then no new chat would help a visitor of Sonnet
    assert (used(first) < 1) == (choice is OWNERS)


@pytest.mark.process
def test_files_count_in_a_long_chat_and_its_summary_names_them(
    claude: ScriptedClaude, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what Claude counts for them; the call for the summary has their names alone."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", claude.url)
    settings = Settings(data_dir=str(tmp_path), models=MODELS, rate_limit="off", titles="off")
    claude.play(says("An answer"), says("We spoke of words."))
    with create(settings).launch() as running, Reader(running.url) as reader:
        long = reader.adds(LONG.encode(), "long.txt").json()["id"]
        id_, _ = reader.hears("", files=[long])
        assert reader.client.get(f"conversations/{id_}/fullness").json()["used"] > 0.01
        summary = reader.client.post(f"conversations/{id_}/summary").json()["summary"]
    assert summary.startswith("We spoke of words.\n\n")
    assert "long.txt" in summary
    assert claude.exchange(1).said[0] == ("user", "[Files: long.txt]\n\n")


def test_the_summary_is_one_call_to_the_cheapest_model(
    here: Running, claude: ScriptedClaude
) -> None:
    """It has the whole conversation and no instructions of the visitor's, and the visitor pays."""
    claude.play(says("An answer"), says("We spoke of ", "words."))
    with Reader(here.url) as reader:
        id_ = reader.asks("hi")
        assert reader.client.get(f"conversations/{id_}/fullness").json() == {"used": 0.0}
        answer = reader.client.post(f"conversations/{id_}/summary")
    assert answer.json() == {"summary": "We spoke of words."}
    body = claude.exchange(1).body
    assert (body["model"], body["output_config"]) == ("claude-haiku-5-5", {"effort": "low"})
    assert claude.exchange(1).said == [
        ("user", "hi"),
        ("assistant", "An answer"),
        ("user", SUMMARISE),
    ]


def test_a_summary_that_fails_says_why(here: Running, claude: ScriptedClaude) -> None:
    """With the status and the sentence of the failure; with an own key it is that key's."""
    claude.play(says("An answer"), refuses(401, "authentication_error"))
    with Reader(here.url) as reader:
        path = f"conversations/{reader.asks('hi')}/summary"
        answer = reader.client.post(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        answer = reader.client.post(path, headers={"x-api-key": "sk-ant-own"})
        assert (answer.status_code, answer.json()["code"]) == (401, "own_key_rejected")


def test_a_long_chat_offers_to_go_on_in_a_new_one(
    here: Running, claude: ScriptedClaude, context: BrowserContext
) -> None:
    """The new chat begins with the summary in its box, to be read and edited, and with nothing
    sent; a short one offers nothing."""
    page = Page(context, here.url)
    bar = page.browser.locator("#long")
    with page.browser.expect_response("**/fullness"):
        page.ask("hi")
        page.shows("Hello there")
    expect(bar).to_have_count(0)
    page.ask(LONG)
    expect(bar).to_contain_text("This chat is getting long")
    claude.play(refuses(400, "invalid_request_error"), says("We spoke of words."))
    bar.get_by_role("button", name="Go on in a new chat").click()
    expect(bar).to_contain_text("There is no summary: Claude did not accept this request.")
    asked = len(claude.exchanges)
    with page.browser.expect_navigation():
        bar.get_by_role("button", name="Go on in a new chat").click()
    expect(page.box).to_have_value(
        "This goes on from an earlier chat. So far:\n\nWe spoke of words.\n\n"
    )
    expect(page.questions).to_have_count(0)
    assert len(claude.exchanges) == asked + 1
    page.box.press("Enter")
    page.shows("We spoke of words.")
    assert claude.exchange(asked + 1).said[0][1].startswith("This goes on from an earlier chat.")
