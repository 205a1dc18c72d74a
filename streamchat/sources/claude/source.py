"""Claude as a source: one client, a real event stream, failures in words a person understands."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import anthropic
import httpx2

from streamchat import errors
from streamchat.errors import ClaudeError
from streamchat.events import Conversation, Done, Event, Request, well_formed
from streamchat.meter import NOTHING, Meter
from streamchat.settings import Settings
from streamchat.sources.claude import clients
from streamchat.sources.claude.capabilities import Capabilities
from streamchat.sources.claude.deadlines import Deadlines
from streamchat.sources.claude.faults import is_free, translated
from streamchat.sources.claude.progress import Progress
from streamchat.sources.claude.wire import Accumulator, Sent, sent
from streamchat.texts import for_owner

logger = logging.getLogger(__name__)


class Claude:
    """Answers with `settings.model`; with no key in the settings, only requests that have one.

    Make one for a process and use it in one event loop.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._clock = clock
        timeout = httpx2.Timeout(connect=5, read=settings.silence_seconds, write=30, pool=5)
        self._capabilities = Capabilities(settings.model)
        self._client = clients.for_owner(settings, timeout)
        self._for_visitors = clients.for_visitors(settings, timeout)

    async def open(self) -> None:
        """Connects, and asks what the model can do; raises `ClaudeError`. Claude may answer later
        all the same."""
        await self._capabilities.learn(self._client)

    async def close(self) -> None:
        self._capabilities.close()
        await self._client.close()
        await self._for_visitors.close()

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Claude's answer, over as many attempts as it takes: a failure that may pass is not the
        end of it."""
        progress = Progress(request.conversation, continuations=self._settings.continuations)
        client = (
            self._for_visitors.with_options(api_key=request.key) if request.key else self._client
        )
        conversation, meter = progress.begin(), request.meter
        without: set[str] = set()
        deadlines = Deadlines(
            silence=self._settings.silence_seconds,
            reply=self._settings.reply_seconds,
            clock=self._clock,
        )
        with suppress(ClaudeError):
            await self._capabilities.learn(client, of_owner=not request.key)
        while True:
            parameters = self._parameters(conversation) | self._optional(without)
            try:
                async with aclosing(
                    self._attempt(client, parameters, meter, deadlines, request.wanted)
                ) as events:
                    async for event in events:
                        for told in progress.told(event):
                            yield told
            except ClaudeError as failure:
                error = _of_own_key(failure) if request.key else failure
                if refused := self._refused(error, without):
                    without |= refused
                else:
                    again = progress.fail(error)
                    if again is None:
                        _tell_owner(error)
                        raise error from failure.__cause__
                    pause, notices = again
                    for notice in notices:
                        yield notice
                    await self._sleep(pause)
            else:
                self._remember(without, client)
                if not progress.paused:
                    return
            # before more is paid
            deadlines.check(heard=True)
            conversation = progress.begin()
            meter = await request.again(conversation) or Meter(NOTHING)

    def _remember(self, without: set[str], client: anthropic.AsyncAnthropic) -> None:
        """An answer came of a request that went without these parameters; what visitors' keys lack
        is their own."""
        new = without - self._capabilities.refused
        if new and client is self._client:
            logger.warning(
                "%s refuses %s, and is asked without.",
                self._settings.model,
                " and ".join(sorted(new)),
            )
            self._capabilities.refused |= new

    def _refused(self, error: ClaudeError, without: set[str]) -> frozenset[str]:
        """Of what was sent and need not be, what was refused."""
        refused = error.parameters if isinstance(error, errors.RequestRejected) else frozenset()
        return refused & self._optional(without).keys()

    async def _attempt(
        self,
        client: anthropic.AsyncAnthropic,
        parameters: dict[str, Any],
        meter: Meter,
        deadlines: Deadlines,
        wanted: Callable[[], Awaitable[None]],
    ) -> AsyncGenerator[Event]:
        heard = Accumulator()
        with translated(), _metered(meter):
            deadlines.check(heard=True)
            async with await client.messages.create(**parameters) as stream:
                if (
                    not stream.response.headers.get("content-type", "")
                    .lower()
                    .startswith("text/event-stream")
                ):
                    raise errors.NotAStream(request_id=stream.response.headers.get("request-id"))
                with _complete_once(lambda: bool(heard.reason)):
                    async with aclosing(sent(stream.response, meter, deadlines, wanted)) as events:
                        async for raw in events:
                            if event := heard.add(raw):
                                yield event
                            if raw["type"] == "message_stop":
                                heard.reason = heard.reason or "end_turn"
                                await _drain(events)
                                break
                if not heard.reason:
                    raise errors.BrokenOff(request_id=stream.response.headers.get("request-id"))
        if rest := heard.end():
            yield rest
        yield Done(heard.reason, heard.usage)

    def _parameters(self, conversation: Conversation) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "model": self._settings.model,
            "max_tokens": self._settings.max_tokens,
            "messages": [
                {"role": message.role, "content": well_formed(message.text)}
                for message in conversation
            ],
            "stream": True,
        }
        if self._settings.system_prompt:
            parameters["system"] = self._settings.system_prompt
        return parameters

    def _optional(self, without: set[str]) -> dict[str, Any]:
        """The parameters that a request can do without, as far as the model takes them."""
        parameters = {
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": self._settings.effort},
            "cache_control": {"type": "ephemeral"},
        }
        refused = self._capabilities.refused | without
        return {name: value for name, value in parameters.items() if name not in refused}


@contextmanager
def _metered(meter: Meter) -> Iterator[None]:
    """Tells the meter how the call ended."""
    try:
        yield
    except anthropic.APIError as error:
        if is_free(error):
            meter.waive()
        raise
    finally:
        meter.stop()


def _tell_owner(error: ClaudeError) -> None:
    if sentence := for_owner(error.cause):
        logger.warning("%s Claude's request id: %s", sentence, error.request_id)


def _of_own_key(error: ClaudeError) -> ClaudeError:
    """The error as whoever brought the key reads it."""
    match error:
        case errors.KeyRejected():
            own: ClaudeError = errors.OwnKeyRejected(request_id=error.request_id)
        case errors.NoCredit():
            own = errors.OwnNoCredit(request_id=error.request_id)
        case errors.NotPermitted() | errors.UnknownModel():
            own = errors.OwnNotPermitted(request_id=error.request_id)
        case _:
            return error
    own.retryable, own.retry_after = error.retryable, error.retry_after
    return own


async def _drain(events: AsyncGenerator[Sent]) -> None:
    """Reads to the end of the body, so that the connection can be used again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            async for _ in events:
                pass


@contextmanager
def _complete_once(complete: Callable[[], bool]) -> Iterator[None]:
    """After the stop reason the answer is whole: what breaks then breaks nothing."""
    try:
        yield
    except (ClaudeError, anthropic.AnthropicError, httpx2.HTTPError, ValueError):
        if not complete():
            raise
