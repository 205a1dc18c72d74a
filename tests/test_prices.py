import logging
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat.events import Message, Usage
from streamchat.meter import length
from streamchat.money.prices import Prices

MILLION = 1_000_000
HI = (Message("user", "hi"),)
MODELS = ["claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-2"]


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("claude-sonnet-5-5", (2, 10, 2.5, 0.1)),
        ("claude-opus-5-5", (4, 20, 5, 0.2)),
        ("claude-haiku-5-5", (0.5, 2.5, 0.625, 0.05)),
    ],
)
def test_a_million_tokens_have_anthropics_price(model: str, dollars: tuple[float, ...]) -> None:
    """Input, output, cache writes and cache reads have the prices of Anthropic's page."""
    prices = Prices(model)
    # so that Haiku's output is in the tier of long prompts
    haystack = 0 if model == "claude-sonnet-5-5" else 100_001
    alone = prices.cost(Usage(haystack))
    usages = [
        Usage(MILLION),
        Usage(haystack, MILLION),
        Usage(0, 0, MILLION),
        Usage(0, 0, 0, MILLION),
    ]
    costs = [prices.cost(usage) - (alone if usage.output_tokens else 0) for usage in usages]
    assert costs == pytest.approx(dollars)


def test_a_reply_costs_the_sum_of_its_parts() -> None:
    """Tokens read from the cache are not charged as input a second time."""
    assert Prices("claude-sonnet-5-5").cost(Usage(1_000, 2_000, 3_000, 4_000)) == pytest.approx(
        (1_000 * 2 + 2_000 * 10 + 3_000 * 2.5 + 4_000 * 0.1) / MILLION
    )
    assert Prices("claude-sonnet-5-5").cost(Usage()) == 0


def test_a_long_prompt_is_dearer_where_it_is() -> None:
    """Haiku costs five times as much for prompts longer than 100,000 tokens."""
    prices = Prices("claude-haiku-5-5")
    assert prices.cost(Usage(100_000)) == pytest.approx(0.01)
    assert prices.cost(Usage(1, 0, 0, 100_000)) == pytest.approx(
        5 * (0.1 + 100_000 * 0.01) / MILLION
    )


def test_saved_is_the_difference_to_the_full_price() -> None:
    """Reading a million of Sonnet's tokens from the cache for $0.10 saves $1.90; reading none saves
    nothing."""
    prices = Prices("claude-sonnet-5-5")
    assert prices.saved(Usage(500, 600, 700, MILLION)) == pytest.approx(1.9)
    assert prices.saved(Usage(500, 600, 700)) == 0


def test_an_unknown_model_is_as_dear_as_the_dearest(caplog: pytest.LogCaptureFixture) -> None:
    """An unknown model counts with the highest prices, and the log warns once."""
    prices = Prices("claude-opus-99")
    usage = Usage(1_000, 2_000, 3_000, 4_000)
    costs = {prices.cost(usage) for _ in range(3)}
    assert costs.pop() >= max(Prices(model).cost(usage) for model in MODELS)
    assert prices.worst(HI, "", 1_000) >= max(
        Prices(model).worst(HI, "", 1_000) for model in MODELS
    )
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "claude-opus-99" in caplog.text


@pytest.mark.parametrize("model", MODELS)
def test_the_models_of_today_are_known(model: str, caplog: pytest.LogCaptureFixture) -> None:
    """A listed model causes no warning, in capitals or with its date either."""
    for name in (model, model.upper(), f"{model}-20261001"):
        assert Prices(name).cost(Usage(MILLION)) > 0
    assert not caplog.records


def test_prices_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The price list is part of the package, also for unlisted models."""

    def connect(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    assert Prices("claude-opus-5-5").cost(Usage(1)) > 0
    assert Prices("claude-opus-99").cost(Usage(1)) > 0


@pytest.mark.parametrize("model", [*MODELS, "claude-opus-99"])
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=())), max_size=4),
    system=st.text(),
    most=st.integers(1, 128_000),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
)
def test_no_call_costs_more_than_the_worst(
    model: str, texts: list[str], system: str, most: int, shares: tuple[float, float, float]
) -> None:
    """The bound holds for any split between input and cache, and for any length of the answer."""
    prices = Prices(model)
    tokens = sum(map(length, texts)) + length(system)
    read, kept = int(tokens * shares[0]), int(tokens * (1 - shares[0]) * shares[1])
    usage = Usage(tokens - read - kept, int(most * shares[2]), kept, read)
    assert prices.cost(usage) <= prices.worst(
        tuple(Message("user", text) for text in texts), system, most
    )


@pytest.mark.parametrize("characters", [90_000, 99_990, 100_000, 400_000])
def test_the_worst_of_a_long_prompt_is_the_dearer_tier(characters: int) -> None:
    """A prompt that may exceed a price's threshold counts as if it did."""
    prices = Prices("claude-haiku-5-5")
    worst = prices.worst((Message("user", "a" * characters),), "", 10_000)
    assert worst >= prices.cost(Usage(0, 10_000, characters))
    if characters > 99_000:
        assert worst >= (100_000 * 0.625 + 10_000 * 2.5) / MILLION


def test_the_worst_of_a_small_question_is_its_answer() -> None:
    """The bound on a greeting's input is small."""
    assert Prices("claude-sonnet-5-5").worst(HI, "Be brief.", 16_000) == pytest.approx(
        16_000 * 10 / MILLION, rel=0.02
    )
