"""Claude as a source: one client, a real event stream, failures in words a person understands."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import anthropic
import httpx2

from streamchat import errors
from streamchat.errors import ClaudeError
from streamchat.events import Conversation, Errand, Event, Notice, Request
from streamchat.meter import NOTHING, Meter
from streamchat.options import Choice, Menu, known
from streamchat.settings import Settings
from streamchat.sources.claude import clients, errands
from streamchat.sources.claude.attempt import attempt
from streamchat.sources.claude.capabilities import Capabilities
from streamchat.sources.claude.deadlines import Deadlines
from streamchat.sources.claude.errands import sent
from streamchat.sources.claude.faults import of_own_key, translated
from streamchat.sources.claude.names import Names
from streamchat.sources.claude.progress import Progress
from streamchat.texts import for_owner

logger = logging.getLogger(__name__)

# a question with a large PDF waits so long at most to be counted
COUNT_SECONDS = 20.0


class Claude:
    """Answers with the request's model, or else with `settings.model`. Without a key in the
    settings it answers only requests with a key. It tells the `menu` Claude's names of the models.

    Make one for a process and use it in one event loop.
    """

    def __init__(
        self,
        settings: Settings,
        menu: Menu | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._clock = clock
        timeout = httpx2.Timeout(connect=5, read=settings.silence_seconds, write=30, pool=5)
        self._capabilities = {model: Capabilities(model) for model in settings.offered_models}
        self._client = clients.for_owner(settings, timeout)
        self._names = Names(menu) if menu else None
        self._for_visitors = clients.for_visitors(settings, timeout)

    async def open(self) -> None:
        """Connects, and asks for the model's capabilities. Raises `ClaudeError`; later questions
        may succeed all the same."""
        if self._names:
            self._names.ask(self._client)
        await self._capabilities[self._settings.model].learn(self._client)

    async def close(self) -> None:
        if self._names:
            self._names.close()
        for capabilities in self._capabilities.values():
            capabilities.close()
        await self._client.close()
        await self._for_visitors.close()

    async def count(self, conversation: Conversation, choice: Choice) -> int | None:
        """The tokens of the conversation, with what it begins with; None if Claude does not say."""
        parameters = self._parameters(conversation, choice)
        del parameters["max_tokens"], parameters["stream"]
        with suppress(ClaudeError), translated():
            counted = await self._client.messages.count_tokens(**parameters, timeout=COUNT_SECONDS)
            return counted.input_tokens
        return None

    def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Claude's answer, over several attempts: it retries after a failure that may pass, and
        continues after a break. An errand has one attempt."""
        if request.errand:
            return self._once(request, request.errand)
        return self._answer(request)

    async def _answer(self, request: Request) -> AsyncGenerator[Event]:
        progress = Progress(request.conversation, continuations=self._settings.continuations)
        client = self._client_of(request)
        conversation, meter, choice = progress.begin(), request.meter, request.choice
        without: set[str] = set()
        deadlines = self._deadlines(choice)
        while True:
            capabilities = self._capabilities[choice.model or self._settings.model]
            with suppress(ClaudeError):
                await capabilities.learn(client, of_owner=not request.key)
            parameters = self._parameters(conversation, choice) | self._optional(choice, without)
            try:
                async with aclosing(
                    attempt(client, parameters, meter, deadlines, request.wanted)
                ) as events:
                    async for event in events:
                        for told in progress.told(event):
                            yield told
            except ClaudeError as failure:
                error = of_own_key(failure) if request.key else failure
                if refused := self._refused(error, choice, without):
                    without |= refused
                elif self._is_gone(failure, choice):
                    yield self._gone(choice, client)
                    choice, without = replace(choice, model=""), set()
                    request.fall_back()
                else:
                    pause, notices = _again(progress, error, failure)
                    for notice in notices:
                        yield notice
                    await self._sleep(pause)
            else:
                self._remember(choice, without, client)
                if not progress.paused:
                    return
            # before more is paid
            deadlines.check(heard=True)
            conversation = progress.begin()
            meter = await request.again(conversation) or Meter(NOTHING)

    async def _once(self, request: Request, errand: Errand) -> AsyncGenerator[Event]:
        client, deadlines = self._client_of(request), self._deadlines(request.choice)
        parameters = errands.parameters(errand, request.conversation)
        async with aclosing(
            attempt(client, parameters, request.meter, deadlines, request.wanted)
        ) as events:
            async for event in events:
                yield event

    def _client_of(self, request: Request) -> anthropic.AsyncAnthropic:
        key = request.key
        return self._for_visitors.with_options(api_key=key) if key else self._client

    def _deadlines(self, choice: Choice) -> Deadlines:
        """Without visible thoughts, Claude may be silent as long as the whole reply may take."""
        patience, whole = self._settings.silence_seconds, self._settings.reply_seconds
        silence = patience if choice.thinking else whole
        return Deadlines(silence=silence, reply=whole, clock=self._clock)

    def _is_gone(self, error: ClaudeError, choice: Choice) -> bool:
        """Whether Claude does not know the chosen model, and the owner's model can replace it."""
        chosen = choice.model not in ("", self._settings.model)
        return chosen and isinstance(error, errors.UnknownModel)

    def _gone(self, choice: Choice, client: anthropic.AsyncAnthropic) -> Notice:
        # what a visitor's key does not find may be there for others
        if self._names and client is self._client:
            self._names.lost(choice.model)
        names = {"gone": known(choice.model).name, "instead": known(self._settings.model).name}
        return Notice("model_gone", names)

    def _remember(
        self, choice: Choice, without: set[str], client: anthropic.AsyncAnthropic
    ) -> None:
        """Notes parameters without which the model answered. A visitor's key may have fewer rights,
        and changes nothing."""
        model = choice.model or self._settings.model
        capabilities = self._capabilities[model]
        new = without - capabilities.refused
        if new and client is self._client:
            logger.warning("%s refuses %s, and is asked without.", model, " and ".join(sorted(new)))
            capabilities.refused |= new

    def _refused(self, error: ClaudeError, choice: Choice, without: set[str]) -> frozenset[str]:
        """The optional parameters that were sent and refused."""
        refused = error.parameters if isinstance(error, errors.RequestRejected) else frozenset()
        return refused & self._optional(choice, without).keys()

    def _parameters(self, conversation: Conversation, choice: Choice) -> dict[str, Any]:
        model = choice.model or self._settings.model
        parameters: dict[str, Any] = {
            "model": model,
            "max_tokens": self._capabilities[model].max_tokens(self._settings.max_tokens),
            "messages": sent(conversation),
            "stream": True,
        }
        if system := choice.beside(self._settings.system_prompt):
            parameters["system"] = _blocks(system) if choice.instructions else system[0]
        return parameters

    def _optional(self, choice: Choice, without: set[str]) -> dict[str, Any]:
        """The parameters that a request can do without, as far as the model accepts them."""
        capabilities = self._capabilities[choice.model or self._settings.model]
        display = "summarized" if choice.thinking else "omitted"
        effort = capabilities.effort(choice.effort or self._settings.effort)
        parameters = {
            "thinking": {"type": "adaptive", "display": display},
            "output_config": {"effort": effort},
            "cache_control": {"type": "ephemeral"},
        }
        refused = capabilities.refused | without
        return {name: value for name, value in parameters.items() if name not in refused}


def _blocks(texts: list[str]) -> list[dict[str, str]]:
    return [{"type": "text", "text": text} for text in texts]


def _again(
    progress: Progress, error: ClaudeError, failure: ClaudeError
) -> tuple[float, list[Notice]]:
    """Seconds until the next attempt, and notices for the reader. Raises the error if there is no
    further attempt."""
    again = progress.fail(error)
    if again is None:
        _tell_owner(error)
        raise error from failure.__cause__
    return again


def _tell_owner(error: ClaudeError) -> None:
    if sentence := for_owner(error.cause):
        logger.warning("%s Claude's request id: %s", sentence, error.request_id)
