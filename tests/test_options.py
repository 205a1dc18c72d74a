"""A visitor's options: how they reach Claude, what they cost, and whose answers they share."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import deepcopy
from typing import Any

import httpx
import pytest

from streamchat.api.options import PATH as OPTIONS
from streamchat.api.routes import PATH
from streamchat.chat import Asker
from streamchat.errors import NotOffered, WrongChoice
from streamchat.events import Message
from streamchat.money.prices import Prices
from streamchat.options import Choice, Menu, known
from streamchat.options.choice import BESIDE
from streamchat.server.parts import chat_of, menu_of
from streamchat.settings import Settings
from streamchat.store.database import Store
from streamchat.texts import text
from tests.scripted_claude import (
    CAPABLE,
    ScriptedClaude,
    cites,
    finds,
    looks_up,
    page,
    quotes,
    refuses,
    says,
    settles,
    start,
    streams,
)
from tests.served import EVENTS, HI, Served, served, until

MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5")
EFFORTS = ("low", "medium", "high")
OWNERS = "You are the owner's."

Chats = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def chats(claude: ScriptedClaude, monkeypatch: pytest.MonkeyPatch) -> Chats:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", claude.url)

    @asynccontextmanager
    async def a_chat(**settings: Any) -> AsyncIterator[Served]:
        """A chat with Claude that offers all of `MODELS`."""
        knobs = {"data_dir": "", "models": ",".join(MODELS), "system_prompt": OWNERS}
        chat = chat_of(Settings(**knobs | {"own_keys": "on"} | settings), Store(""))
        await chat.open()
        async with served(chat=chat) as api:
            yield api

    return a_chat


def request(**options: Any) -> dict[str, Any]:
    """The body that Claude gets for a question with these options."""
    system, display = options.get("system"), options.get("display", "summarized")
    own = BESIDE.format(system)
    blocks = [{"type": "text", "text": text} for text in (OWNERS, own)]
    return {
        "model": options.get("model", MODELS[0]),
        "max_tokens": 16_000,
        "messages": [{"role": "user", "content": "hi"}],
        "system": blocks if system else OWNERS,
        "thinking": {"type": "adaptive", "display": display},
        "output_config": {"effort": options.get("effort", "low")},
        "cache_control": {"type": "ephemeral"},
        "stream": True,
    }


async def test_every_choice_is_the_request_that_it_should_be(
    chats: Chats, claude: ScriptedClaude
) -> None:
    """Each model, effort and instructions reach Claude over HTTP, and so does a question without
    any."""
    choices = [
        {
            name: value
            for name, value in zip(("model", "effort", "system"), values, strict=True)
            if value
        }
        for values in itertools.product(("", *MODELS), ("", *EFFORTS), ("", "Be brief."))
    ]
    async with chats(rate_limit="off") as api:
        for options in choices:
            answer = await api.client.post(PATH, json={"message": "hi", **options})
            assert answer.text == "Hello there"
    assert [exchange.body for exchange in claude.exchanges] == [
        request(**options) for options in choices
    ]


async def test_a_choice_without_thoughts_asks_for_none(
    chats: Chats, claude: ScriptedClaude
) -> None:
    """Claude sends no summary of its thoughts, and its first word comes sooner."""
    async with chats() as api:
        choice = api.chat.menu.read(['{"thinking": false}'])
        await (await api.chat.ask([Message("user", "hi")], choice=choice)).closed()
    assert claude.exchange(0).body == request(display="omitted")


async def test_a_request_has_only_parameters_that_its_model_accepts(
    chats: Chats, claude: ScriptedClaude
) -> None:
    """No thinking for a model without it, no effort above the model's highest, and no more tokens
    than its limit."""
    capable = deepcopy(CAPABLE)
    capable["effort"] |= {"high": {"supported": False}, "xhigh": None, "max": {"supported": False}}
    capable["thinking"]["types"]["adaptive"]["supported"] = False
    claude.capabilities = capable
    claude.most_tokens = 8_000
    async with chats(models=MODELS[1]) as api:
        body = {"message": "hi", "model": MODELS[1], "effort": "high"}
        await api.client.post(PATH, json=body)
    sent = request(model=MODELS[1], effort="medium") | {"max_tokens": 8_000}
    del sent["thinking"]
    assert claude.exchange(0).body == sent


@pytest.mark.parametrize("model", MODELS)
async def test_the_worst_case_of_the_chosen_model_is_reserved(
    chats: Chats, claude: ScriptedClaude, model: str
) -> None:
    """While it is written, an answer counts as what its model may cost at most, instructions
    included; the receipt has the model and what it did cost."""
    choice = Choice(model, instructions="Be brief. " * 20)
    system = "".join(choice.beside(OWNERS))
    conversation = (Message("user", "hi"),)
    async with chats() as api:
        reply = await api.chat.ask(conversation, choice=choice)
        assert api.chat.budget
        worst = Prices(model).worst(conversation, system, 16_000)
        assert api.chat.budget.reserved() == pytest.approx(worst, abs=1e-6)
        await reply.closed()
    assert reply.ending
    assert reply.ending.receipt
    assert reply.ending.receipt.model == model
    assert reply.ending.receipt.cost == pytest.approx(Prices(model).cost(reply.usage))


async def test_a_model_that_nobody_here_can_pay_is_refused_as_such(
    chats: Chats, claude: ScriptedClaude
) -> None:
    """If its shortest answer may cost more than a visitor's share, only an own key can pay; the
    owner's model still answers."""
    async with chats(visitor_budget_usd=0.2) as api:
        opus = {"message": "hi", "model": "claude-opus-5-5"}
        refused = await api.client.post(PATH, json=opus)
        assert (refused.status_code, refused.json()["code"]) == (422, "beyond_share")
        assert claude.exchanges == []
        assert (await api.client.post(PATH, json={"message": "hi"})).status_code == 200
        key = {"x-api-key": "sk-ant-visitor"}
        assert (await api.client.post(PATH, json=opus, headers=key)).status_code == 200
    assert [exchange.body["model"] for exchange in claude.exchanges] == [MODELS[0], MODELS[2]]


@pytest.mark.parametrize("key", ["", "sk-ant-visitor"], ids=["", "with an own key"])
async def test_the_owners_model_answers_for_one_that_is_gone(
    chats: Chats, claude: ScriptedClaude, key: str
) -> None:
    """A notice says so, and the receipt has the model that answered and its price. The model is
    marked from then on, unless only a visitor's key did not find it."""
    claude.play(refuses(404, "not_found_error", "model: claude-opus-5-5"), says("Hello"))
    headers = EVENTS | ({"x-api-key": key} if key else {})
    async with chats() as api:
        body = {"message": "hi", "model": "claude-opus-5-5"}
        answer = await api.client.post(PATH, json=body, headers=headers)
        gone = [model["id"] for model in (await listed(api))["models"] if model["gone"]]
    assert gone == ([] if key else ["claude-opus-5-5"])
    assert "Claude Opus 5.5 is no longer available. Claude Sonnet 5.5 answers" in answer.text
    assert '"text": "Hello"' in answer.text
    assert '"model": "claude-sonnet-5-5"' in answer.text
    cost = Prices(MODELS[0]).cost((await api.reply(answer.headers["location"])).usage)
    assert f'"cost": {cost:.6f}'.rstrip("0") in answer.text
    assert [exchange.body["model"] for exchange in claude.exchanges] == [MODELS[2], MODELS[0]]


async def test_an_answer_is_shared_with_those_who_chose_the_same(
    chats: Chats, claude: ScriptedClaude
) -> None:
    """Another model, effort or display of thoughts gives another answer; own instructions are never
    shared."""
    async with chats(examples="hi") as api:
        ask = [
            Choice(),
            Choice(effort="high"),
            Choice(MODELS[1]),
            Choice(thinking=False),
            Choice(instructions="Be brief."),
        ]
        shared: list[bool] = []
        for person in ("first", "second"):
            from_person = Asker(person, person)
            for choice in ask:
                reply = await api.chat.ask([Message("user", "hi")], from_person, choice=choice)
                await reply.closed()
                assert reply.ending
                assert reply.ending.receipt
                shared.append(reply.ending.receipt.shared)
    assert shared == [False] * len(ask) + [True] * (len(ask) - 1) + [False]
    assert len(claude.exchanges) == len(ask) + 1


async def test_a_key_belongs_to_the_options_too(chats: Chats, claude: ScriptedClaude) -> None:
    """The same question and key with other options is another question."""
    async with chats() as api:
        key = {"idempotency-key": "k"}

        async def ask(**options: str) -> httpx.Response:
            return await api.client.post(PATH, json={"message": "hi", **options}, headers=key)

        assert (await ask(effort="high")).status_code == 200
        assert (await ask(effort="high")).status_code == 200
        for options in ({}, {"effort": "low"}, {"effort": "high", "system": "x"}):
            assert (await ask(**options)).json()["code"] == "idempotency_key_reused"
    assert len(claude.exchanges) == 1


async def listed(api: Served) -> dict[str, Any]:
    found: dict[str, Any] = (await api.client.get(OPTIONS)).json()
    return found


async def test_visitors_get_the_list_of_choices(chats: Chats) -> None:
    """Each model has its name, strengths and price in words, and a mark if it costs more than the
    visitor may spend."""
    async with chats(visitor_budget_usd=0.2, efforts="high", instructions=50) as api:
        found = await listed(api)
    sonnet, haiku, opus = found.pop("models")
    assert found == {
        "model": "claude-sonnet-5-5",
        "efforts": ["low", "high"],
        "effort": "low",
        "thinking": [True, False],
        "instructions": 50,
        "search": [False],
        "files": {
            "per_message": 5,
            "per_conversation": 20,
            "bytes_each": 5_000_000,
            "bytes_in_all": 10_000_000,
            "pixels": 50_000_000,
            "pages": 100,
        },
        "own_key": True,
        "demo": False,
    }
    assert sonnet == {
        "id": "claude-sonnet-5-5",
        "name": "Claude Sonnet 5.5",
        "good_for": "Fast and capable: good for nearly everything.",
        "price": "about 1 cent an answer",
        "beyond": False,
        "gone": False,
    }
    assert haiku["price"] == "less than 0.1 cent an answer"
    assert (opus["price"], opus["beyond"]) == ("about 2 cents an answer", True)


async def test_claude_says_how_its_models_are_called(chats: Chats, claude: ScriptedClaude) -> None:
    """A model unknown to this release has Claude's name, and a retired one is marked."""
    ours = {"type": "model", "created_at": "2027-01-01T00:00:00Z", "lifecycle": "active"}
    claude.models = [
        ours | {"id": "claude-next-1", "display_name": "Claude\u0007 Next 1" + "!" * 100},
        ours | {"id": "claude-sonnet-5-5", "display_name": ""},
        ours | {"id": "claude-opus-4-5", "display_name": "Opus", "retires_at": "2026-01-22T00:00Z"},
        ours | {"id": "claude-secret-1", "display_name": "Not offered"},
    ]
    async with chats(models="claude-next-1,claude-opus-4-5,claude-haiku-5-5") as api:
        await until(lambda: api.chat.menu.models["claude-opus-4-5"].gone)
        names = {model["id"]: model["name"] for model in (await listed(api))["models"]}
        gone = [model["id"] for model in (await listed(api))["models"] if model["gone"]]
    assert names == {
        "claude-sonnet-5-5": "Claude Sonnet 5.5",
        "claude-next-1": "Claude Next 1" + "!" * 47,
        "claude-opus-4-5": "Opus",
        "claude-haiku-5-5": "Claude Haiku 5.5",
    }
    assert gone == ["claude-opus-4-5"]


@pytest.mark.parametrize("models", ["nonsense", [{}], [{"id": "claude-haiku-5-5"}], None])
async def test_a_gateway_may_name_no_models(
    chats: Chats, claude: ScriptedClaude, models: Any
) -> None:
    """Then models have the names known here."""
    claude.models = models
    async with chats() as api:
        await api.client.post(PATH, json={"message": "hi"})
        names = [model["name"] for model in (await listed(api))["models"]]
    assert names == ["Claude Sonnet 5.5", "Claude Haiku 5.5", "Claude Opus 5.5"]


async def test_the_demo_offers_what_an_own_key_can_choose(
    chats: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the owner's key no model is beyond a share."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    async with chats(visitor_budget_usd=0.2) as api:
        found = await listed(api)
    assert found["demo"]
    assert not any(model["beyond"] for model in found["models"])


def test_nothing_is_offered_that_the_owner_did_not_set() -> None:
    """By default there is one model; with efforts off there is one effort, and no instructions."""
    assert Settings(data_dir="").offered_models == ["claude-sonnet-5-5"]
    locked = Settings(data_dir="", effort="max", efforts="off", instructions=0)
    menu = Menu(locked.offered_models, effort=locked.effort, efforts=locked.offered_efforts)
    assert (menu.efforts, menu.instructions) == (["max"], 0)
    assert menu.check({}) == Choice("claude-sonnet-5-5", "max")


@pytest.mark.parametrize(("setting", "shown"), [("shown", True), ("hidden", False)])
def test_an_owner_locks_whether_thinking_is_shown(setting: str, shown: bool) -> None:
    """The owner's setting holds for everybody; the other is refused, and an earlier choice of it
    is forgotten."""
    locked = Settings(data_dir="", thinking=setting)
    menu = menu_of(locked)
    assert menu.check({}).thinking is menu.check({"thinking": shown}).thinking is shown
    with pytest.raises(NotOffered, match="not_offered"):
        menu.check({"thinking": not shown})
    kept = Choice(menu.model, "high", thinking=not shown).fields
    assert menu.recall(kept) == Choice(menu.model, "high", thinking=shown)


@pytest.mark.parametrize(
    ("setting", "offered"), [("off", [False]), ("on", [True]), ("ask", [False, True])]
)
def test_an_owner_decides_about_searches(setting: str, offered: list[bool]) -> None:
    """Without a choice the owner's setting holds, with `ask` no search. Other values are refused,
    and an earlier choice of them is forgotten."""
    menu = menu_of(Settings(data_dir="", web_search=setting))
    assert menu.search == offered
    assert menu.check({}).search is offered[0]
    for value in (False, True):
        if value in offered:
            assert menu.check({"search": value}).search is value
        else:
            with pytest.raises(NotOffered, match="not_offered"):
                menu.check({"search": value})
        kept = menu.recall(Choice(menu.model, "low", search=value).fields)
        assert kept
        assert kept.search is (value if value in offered else offered[0])
    with pytest.raises(WrongChoice):
        menu.check({"search": 1})


async def test_a_search_that_is_not_offered_is_refused_over_http(chats: Chats) -> None:
    """A program is told that the owner allows no search, and that the field is true or false."""
    async with chats() as api:
        refused = await api.client.post(PATH, json={**HI, "search": True})
        wrong = await api.client.post(PATH, json={**HI, "search": "yes"})
    assert (refused.status_code, wrong.status_code) == (422, 422)
    assert refused.json()["message"] == text("not_offered", what="search", offered="")
    assert wrong.json()["message"].startswith("search:")


@pytest.mark.parametrize(("budget", "uses"), [(5, 2), (0.25, 1), (0.2, 0)])
async def test_a_visitor_searches_as_far_as_the_money_goes(
    chats: Chats, claude: ScriptedClaude, budget: float, uses: int
) -> None:
    """Over HTTP a question with `search` may have the owner's number of searches, or fewer where
    the visitor's money does not last for all; the receipt counts those that were made."""
    url = "https://a.example/"
    found = [looks_up("rivers"), finds(page(url)), cites("Long.", quotes(url))]
    claude.play(streams(start(), *found * bool(uses), settles(searches=int(uses > 0))))
    async with chats(web_search="ask", max_searches=2, visitor_budget_usd=budget) as api:
        answer = await api.client.post(PATH, json={**HI, "search": True}, headers=EVENTS)
        without = await api.client.post(PATH, json=HI, headers=EVENTS)
    tools = claude.exchanges[0].body.get("tools", [{"max_uses": 0}])
    assert tools[0]["max_uses"] == uses
    assert ("search_too_dear" in answer.text) is (uses == 0)
    assert answer.text.count("event: citation") == int(uses > 0)
    assert f'"searches": {int(uses > 0)}}}' in answer.text
    assert "tools" not in claude.exchanges[1].body
    assert without.status_code == 200


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("claude-sonnet-5-5", "Claude Sonnet 5.5"),
        ("claude-opus-5", "Claude Opus 5"),
        ("anthropic/claude-haiku-4-5-20251001", "Claude Haiku 4.5"),
        ("claude-next-1", "claude-next-1"),
        ("llama-4", "llama-4"),
    ],
)
def test_a_model_has_a_name_for_people(model: str, name: str) -> None:
    """Unknown models are named by their ids."""
    assert known(model).name == name


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        ({}, None),
        ({"model": "claude-gone-1", "effort": "high", "system": "x"}, ("high", "x")),
        ({"model": MODELS[0], "effort": "high", "system": "x" * 1_001}, None),
        ({"effort": "max"}, None),
        ({"of_tomorrow": 1}, None),
        ({"model": ["claude"], "effort": "high"}, ("high", "")),
        ({"effort": {}}, None),
    ],
)
def test_a_kept_choice_holds_as_far_as_it_is_offered(
    kept: dict[str, Any], found: tuple[str, str] | None
) -> None:
    """A model that is gone becomes the owner's; any other option that is not allowed makes the
    choice void."""
    menu = Menu(MODELS, efforts=["high"], instructions=1_000)
    choice = menu.recall(kept)
    assert (choice and (choice.effort, choice.instructions)) == found
    assert choice is None or choice.model == MODELS[0]
    assert menu.recall(menu.check({"thinking": False}).fields) == menu.check({"thinking": False})
