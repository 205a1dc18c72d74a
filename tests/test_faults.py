import asyncio
import json
import logging
from email.utils import formatdate
from typing import Any

import pytest

from streamchat import errors
from streamchat.errors import ClaudeError
from streamchat.events import Request
from streamchat.settings import Settings, SettingsError
from streamchat.texts import for_owner, worded
from tests.scripted_claude import Script, ScriptedClaude, breaks, opening, refuses, says, streams
from tests.test_claude import ASKED, a_claude, answer, text

TOO_LONG = [
    "prompt is too long: 205000 tokens > 200000 maximum",
    (
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease"
        " input length"
    ),
    "Input is too long for requested model.",
    (
        "This model's maximum context length is 200000 tokens. However, your messages resulted in"
        " 205000 tokens."
    ),
    "litellm.ContextWindowExceededError: ...",
    "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    "Your input exceeds the context window of this model.",
    "Too many input tokens.",
    "Request too large",
]
NOT_TOO_LONG = [
    (
        "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for this"
        " model"
    ),
    "messages: at least one message is required",
    "messages.0.content: text content blocks must be non-empty",
]
NO_CREDIT = [
    (
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing"
        " to upgrade or purchase credits."
    ),
    (
        "You have reached your specified API usage limits. You will regain access on 2026-12-01 at"
        " 00:00 UTC."
    ),
    "You have reached your specified workspace API usage limits.",
    "Your organization has reached its spend limit.",
    "Insufficient credits. Add more at https://gateway.example/billing",
    "You exceeded your current quota, please check your plan and billing details.",
]
RATES = [
    (
        "This request would exceed the rate limit for your organization of 10,000 input tokens per"
        " minute."
    ),
    (
        "Rate limit reached. Add a payment method at https://gateway.example/account/billing to"
        " increase it."
    ),
]


async def failure(
    claude: ScriptedClaude, *scripts: Script, request: Request = ASKED
) -> tuple[ClaudeError, int]:
    """The error that an answer ends with, and the number of requests before it."""
    claude.play(*scripts)
    async with a_claude(claude) as (source, _):
        _, error = await answer(source, request)
    assert isinstance(error, ClaudeError)
    return error, len(claude.exchanges)


def answers(status: int, body: Any, content_type: str = "application/json") -> Script:
    """A status with this body, in whatever shape a gateway has it."""
    sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return [opening(content_type, f"{status} Error"), sent]


@pytest.mark.parametrize("said", TOO_LONG)
async def test_a_prompt_that_is_too_long_has_a_way_on(claude: ScriptedClaude, said: str) -> None:
    """Claude's and gateways' words for it become the error of a conversation that is too long,
    after one request."""
    error, requests = await failure(claude, refuses(400, "invalid_request_error", said))
    assert (type(error), error.status, requests) == (errors.ConversationTooLarge, 413, 1)
    assert "Start a new chat" in worded(error)


SHAPES = [
    {"message": "Input is too long for requested model."},
    {
        "error": {
            "message": "...",
            "type": "invalid_request_error",
            "code": "context_length_exceeded",
        }
    },
    {"error": "prompt is too long"},
    {"detail": [{"loc": ["body", "messages"], "msg": "The prompt is too long"}]},
    "prompt is too long",
]


@pytest.mark.parametrize("body", SHAPES)
async def test_gateways_say_it_in_shapes_of_their_own(claude: ScriptedClaude, body: Any) -> None:
    """The sentence is found in the shapes that gateways use."""
    error, _ = await failure(claude, answers(400, body))
    assert type(error) is errors.ConversationTooLarge


async def test_a_prompt_may_be_too_long_for_a_stream_that_has_begun(claude: ScriptedClaude) -> None:
    """An error event with the same words is recognised too."""
    error, requests = await failure(claude, streams(breaks("invalid_request_error", TOO_LONG[0])))
    assert (type(error), requests) == (errors.ConversationTooLarge, 1)


@pytest.mark.parametrize("said", NOT_TOO_LONG)
async def test_other_bounds_are_not_those_of_a_conversation(
    claude: ScriptedClaude, said: str
) -> None:
    """A wrong setting is not taken for a long conversation, since a new chat would not help."""
    error, _ = await failure(claude, refuses(400, "invalid_request_error", said))
    assert type(error) is errors.RequestRejected


@pytest.mark.parametrize("status", [400, 403, 429])
@pytest.mark.parametrize("said", NO_CREDIT)
async def test_an_account_without_credit_is_the_owners_affair(
    claude: ScriptedClaude, caplog: pytest.LogCaptureFixture, said: str, status: int
) -> None:
    """Readers learn that Claude cannot be reached, the log has the reason, and Claude's message is
    in neither."""
    error, requests = await failure(claude, refuses(status, "invalid_request_error", said))
    assert (type(error), error.status, requests) == (errors.NoCredit, 503, 1)
    assert worded(error) == "This chat cannot reach Claude at the moment."
    assert "The account behind the key has no credit. Add some at Plans & Billing." in caplog.text
    assert "req_scripted" in caplog.text
    assert said not in caplog.text


@pytest.mark.parametrize("said", RATES)
async def test_a_rate_limit_is_no_lack_of_credit(claude: ScriptedClaude, said: str) -> None:
    """A rate limit passes, even if its message speaks of credit."""
    error, requests = await failure(claude, refuses(429, "rate_limit_error", said))
    assert (type(error), requests) == (errors.RateLimited, 4)


async def test_a_visitor_is_told_that_their_own_account_has_no_credit(
    claude: ScriptedClaude, caplog: pytest.LogCaptureFixture
) -> None:
    """The visitor reads the reason, and nothing is logged for the owner."""
    script = refuses(400, "invalid_request_error", NO_CREDIT[0])
    error, _ = await failure(claude, script, request=Request(ASKED.conversation, key="sk-visitor"))
    assert (type(error), error.status) == (errors.OwnNoCredit, 402)
    assert "your API key" in worded(error)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


BUSY = [(429, "rate_limit_error"), (529, "overloaded_error"), (500, "api_error")]


@pytest.mark.parametrize(("status", "kind"), BUSY)
async def test_claude_says_that_asking_again_is_of_no_use(
    claude: ScriptedClaude, status: int, kind: str
) -> None:
    """`x-should-retry: false` prevents a retry."""
    error, requests = await failure(claude, refuses(status, kind, x_should_retry="false"))
    assert (error.status, requests) == (errors.Busy.status if status == 529 else error.status, 1)


async def test_claude_says_that_asking_again_may_help(claude: ScriptedClaude) -> None:
    """`x-should-retry: true` makes any failure retryable."""
    claude.play(refuses(400, "invalid_request_error", x_should_retry="true"), says("Here I am."))
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source)
    assert (text(said), error, len(pauses)) == ("Here I am.", None, 1)


@pytest.mark.parametrize("kind", ["authentication_error", "billing_error"])
async def test_claude_says_so_of_a_visitors_key_too(claude: ScriptedClaude, kind: str) -> None:
    """The header makes even the refusal of a visitor's key retryable."""
    status = {"authentication_error": 401, "billing_error": 402}[kind]
    claude.play(refuses(status, kind, x_should_retry="true", retry_after="7"), says("Here I am."))
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source, Request(ASKED.conversation, key="sk-visitor"))
    assert (text(said), error, pauses) == ("Here I am.", None, [7])


@pytest.mark.parametrize("value", ["", "True", "maybe"])
async def test_other_values_of_should_retry_are_ignored(claude: ScriptedClaude, value: str) -> None:
    """With any other value the status decides, as in Claude's own client."""
    _, requests = await failure(claude, refuses(529, "overloaded_error", x_should_retry=value))
    assert requests == 4


WAITS: dict[str, tuple[dict[str, str], float | None]] = {
    "milliseconds": ({"retry_after_ms": "300"}, 0.3),
    "milliseconds before seconds": ({"retry_after_ms": "300", "retry_after": "7"}, 0.3),
    "no milliseconds": ({"retry_after_ms": "soon", "retry_after": "7"}, 7),
    "endless milliseconds": ({"retry_after_ms": "inf", "retry_after": "7"}, 7),
    "seconds": ({"retry_after": "1.5"}, 1.5),
    "a time that is over": ({"retry_after": formatdate(0, usegmt=True)}, 0),
}


@pytest.mark.parametrize("wait", WAITS)
async def test_the_wait_is_as_long_as_claude_says(claude: ScriptedClaude, wait: str) -> None:
    """The pause may be given in milliseconds, in seconds or as a date."""
    headers, seconds = WAITS[wait]
    claude.play(refuses(529, "overloaded_error", **headers), says("ok"))
    async with a_claude(claude) as (source, pauses):
        said, _ = await answer(source)
    assert (pauses, text(said)) == ([seconds], "ok")


async def test_two_minutes_in_milliseconds_are_told_at_once(claude: ScriptedClaude) -> None:
    """A pause above the cap is not waited for, also when it comes in milliseconds."""
    error, requests = await failure(
        claude, refuses(429, "rate_limit_error", retry_after_ms="120000")
    )
    assert (error.retry_after, requests) == (120, 1)


ADDRESSES = ["", "/", "/v1", "/v1/", "//v1//", "/v1/messages", " ", "'", '/v1"\n']


@pytest.mark.parametrize("end", ADDRESSES)
async def test_the_address_may_end_as_people_write_it(claude: ScriptedClaude, end: str) -> None:
    """The API's version, slashes, blanks and quotation marks around the address are accepted."""
    async with a_claude(claude, ANTHROPIC_BASE_URL=claude.url + end) as (source, _):
        await source.open()
        said, error = await answer(source)
    assert (text(said), error, claude.models_asked) == ("Hello there", None, 1)


@pytest.mark.parametrize("address", ["", " ", '""', "\t"])
def test_an_empty_address_is_claudes(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An empty variable counts as unset."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", address)
    assert Settings.read().base_url == "https://api.anthropic.com"


@pytest.mark.parametrize(
    "address",
    ["gateway.example", "localhost:4000", "ftp://x", "https://", "https://[", "http://x:99999"],
)
def test_an_invalid_address_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """The sentence names the variable without its value, which may hold a password."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", address)
    with pytest.raises(SettingsError, match=r"^ANTHROPIC_BASE_URL cannot be used"):
        Settings.read()


@pytest.mark.parametrize("body", ["<html>Not Found</html>", {"detail": "Not Found"}])
@pytest.mark.parametrize("status", [404, 405])
async def test_an_address_where_there_is_no_claude_is_named(
    claude: ScriptedClaude, status: int, body: Any
) -> None:
    """The complaint is about the address, not the model."""
    error, requests = await failure(claude, answers(status, body))
    assert (type(error), requests) == (errors.WrongAddress, 1)
    assert "ANTHROPIC_BASE_URL" in for_owner(error.cause)


class Gateway(ScriptedClaude):
    """Knows no models, and says so in a way of its own."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(says("Hello there"))
        self._no_models = answers(status, body)

    def _model(self) -> bytes:
        self.models_asked += 1
        head, body = self._no_models
        assert isinstance(head, bytes)
        assert isinstance(body, bytes)
        return (
            head.replace(b"transfer-encoding: chunked", f"content-length: {len(body)}".encode())
            + body
        )


@pytest.mark.parametrize("status", [400, 404, 405, 501])
async def test_a_gateway_may_know_no_models(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """It is asked for them once, without a warning, and answers as Claude does."""
    with Gateway(status, {"detail": "Not Found"}) as claude:
        async with a_claude(claude) as (source, pauses):
            await source.open()
            replies = [await answer(source) for _ in range(2)]
    assert [(text(said), error) for said, error in replies] == [("Hello there", None)] * 2
    assert (claude.models_asked, pauses, caplog.text) == (1, [], "")


async def test_questions_at_the_same_moment_ask_of_the_model_once(claude: ScriptedClaude) -> None:
    """If the first asker leaves, the others still get their answers."""
    async with a_claude(claude) as (source, _):
        asking = [asyncio.create_task(answer(source)) for _ in range(5)]
        opening = asyncio.create_task(source.open())
        await asyncio.sleep(0)
        asking[0].cancel()
        await opening
        replies = await asyncio.gather(*asking[1:])
    assert [text(said) for said, _ in replies] == ["Hello there"] * 4
    assert claude.models_asked == 1


PICKY = {
    "thinking": "thinking: Extra inputs are not permitted",
    "output_config": "output_config.effort: This model does not support the effort parameter.",
    "cache_control": "cache_control: Extra inputs are not permitted",
}


def without(claude: ScriptedClaude) -> list[set[str]]:
    """The optional fields that each request left out."""
    return [PICKY.keys() - exchange.body.keys() for exchange in claude.exchanges]


@pytest.mark.parametrize("name", PICKY)
@pytest.mark.parametrize("status", [400, 422])
async def test_a_refused_field_is_left_out_and_remembered(
    claude: ScriptedClaude, caplog: pytest.LogCaptureFixture, name: str, status: int
) -> None:
    """The request is repeated at once without the field, without a notice; later requests leave it
    out, and the log says so once."""
    claude.play(refuses(status, "invalid_request_error", PICKY[name]), says("Hello there"))
    async with a_claude(claude) as (source, pauses):
        replies = [await answer(source) for _ in range(2)]
    assert [(text(said), error) for said, error in replies] == [("Hello there", None)] * 2
    assert (without(claude), pauses) == ([set(), {name}, {name}], [])
    assert [record.getMessage() for record in caplog.records] == [
        f"claude-sonnet-5-5 refuses {name}, and is asked without."
    ]


async def test_refused_fields_are_left_out_one_after_the_other(claude: ScriptedClaude) -> None:
    """A gateway names one field at a time; money is reserved before each call."""
    announced: list[int] = []

    async def again(_: object) -> None:
        announced.append(len(claude.exchanges))

    refusals = [refuses(400, "invalid_request_error", said) for said in PICKY.values()]
    claude.play(*refusals, says("Hello there"))
    async with a_claude(claude) as (source, pauses):
        said, error = await answer(source, Request(ASKED.conversation, again))
    assert (text(said), error, pauses) == ("Hello there", None, [])
    assert without(claude)[-1] == set(PICKY)
    assert announced == [1, 2, 3]


UNNAMED = [
    {"error": {"message": "Unsupported parameter."}},
    {
        "detail": [
            {
                "type": "extra_forbidden",
                "loc": ["body", "x"],
                "msg": "Extra inputs are not permitted",
            }
        ]
    },
    'unknown field "x"',
]


@pytest.mark.parametrize("body", UNNAMED)
async def test_an_unnamed_refusal_leaves_out_every_optional_field(
    claude: ScriptedClaude, body: Any
) -> None:
    """If the refusal names no field, all optional ones are left out."""
    claude.play(answers(400, body), says("Hello there"))
    async with a_claude(claude) as (source, _):
        said, error = await answer(source)
    assert (text(said), error, without(claude)) == ("Hello there", None, [set(), set(PICKY)])


async def test_a_field_is_left_out_only_once(claude: ScriptedClaude) -> None:
    """A second refusal of the same field is a failure, and the field is sent again with the next
    question."""
    claude.play(refuses(400, "invalid_request_error", PICKY["thinking"]))
    async with a_claude(claude) as (source, _):
        _, error = await answer(source)
        assert (type(error), len(claude.exchanges)) == (errors.RequestRejected, 2)
        claude.play(says("Hello there"))
        await answer(source)
    assert without(claude)[-1] == set()


async def test_a_refusal_in_the_middle_leaves_nothing_out(claude: ScriptedClaude) -> None:
    """A refusal after the first event does not start the stream again."""
    error, requests = await failure(
        claude, streams(breaks("invalid_request_error", PICKY["thinking"]))
    )
    assert (type(error), requests) == (errors.RequestRejected, 1)
