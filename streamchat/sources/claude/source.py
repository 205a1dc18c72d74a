"""Claude as a source: one client, a real event stream, failures in words a person understands."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import anthropic
import httpx2

from streamchat import errors
from streamchat.errors import ClaudeError
from streamchat.events import Conversation, Errand, Event, Notice, Request
from streamchat.meter import NOTHING, Meter
from streamchat.options import OWNERS, Choice, Menu, known
from streamchat.settings import Settings
from streamchat.sources.claude import clients, errands
from streamchat.sources.claude.attempt import attempt
from streamchat.sources.claude.blocks import Blocks
from streamchat.sources.claude.deadlines import Deadlines
from streamchat.sources.claude.faults import of_own_key, translated
from streamchat.sources.claude.names import Names
from streamchat.sources.claude.parameters import Parameters
from streamchat.sources.claude.posting import counted
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
        self._parameters = Parameters(settings)
        self._client = clients.for_owner(settings, timeout)
        self._names = Names(menu) if menu else None
        self._for_visitors = clients.for_visitors(settings, timeout)

    async def open(self) -> None:
        """Connects, and asks for the model's capabilities. Raises `ClaudeError`; later questions
        may succeed all the same."""
        if self._names:
            self._names.ask(self._client)
        await self._parameters.of(OWNERS).learn(self._client)

    async def close(self) -> None:
        if self._names:
            self._names.close()
        self._parameters.close()
        await self._client.close()
        await self._for_visitors.close()

    async def count(self, conversation: Conversation, choice: Choice) -> int | None:
        """The tokens of the conversation, with what it begins with and without tools; None if
        Claude does not say."""
        parameters = self._parameters.counted(conversation, choice)
        with suppress(ClaudeError), translated():
            return (await counted(self._client, parameters, COUNT_SECONDS)).input_tokens
        return None

    def stream(self, request: Request) -> AsyncGenerator[Event]:
        """Claude's answer, over several attempts: it retries after a failure that may pass, and
        continues after a break. An errand has one attempt."""
        if request.errand:
            return self._once(request, request.errand)
        return self._answer(request)

    async def _answer(self, request: Request) -> AsyncGenerator[Event]:
        progress = Progress(request.conversation, continuations=self._settings.continuations)
        begun = progress.begin(), request.meter, request.choice
        plan = Plan(request, self._client_of(request), progress, *begun)
        deadlines = self._deadlines(request.choice)
        while True:
            with suppress(ClaudeError):
                learning = self._parameters.of(plan.choice).learn
                await learning(plan.client, of_owner=not request.key)
            for unsearched in self._unsearched(plan):
                yield unsearched
            blocks = plan.blocks()
            calling = attempt(
                plan.client, self._whole(plan), plan.meter, deadlines, request, blocks=blocks
            )
            try:
                async with aclosing(calling) as events:
                    async for event in events:
                        for shown in progress.for_reader(event):
                            yield shown
            except ClaudeError as failure:
                pause, notices = self._recover(plan, failure)
                for notice in notices:
                    yield notice
                if pause is not None:
                    await self._sleep(pause)
            else:
                self._remember(plan)
                if not progress.paused:
                    return
                progress.pause(blocks.whole if blocks else [])
            # before more is paid
            deadlines.check(heard=True)
            await plan.go_on()

    def _remember(self, plan: "Plan") -> None:
        # a visitor's key may have fewer rights, and changes nothing
        if plan.client is self._client:
            self._parameters.remember(plan.choice, plan.without)

    def _whole(self, plan: "Plan") -> dict[str, Any]:
        searches = plan.meter.searches
        return self._parameters.whole(plan.conversation, plan.choice, plan.without, searches)

    def _recover(self, plan: "Plan", failure: ClaudeError) -> tuple[float | None, list[Event]]:
        """Prepares the next attempt after a failure. Returns the seconds until then, if it needs a
        pause, and events for the reader. Raises the error if there is no further attempt."""
        error = of_own_key(failure) if plan.request.key else failure
        if refused := self._refused(error, plan):
            plan.without |= refused
            plan.progress.flatten()
        elif isinstance(error, errors.RequestRejected) and plan.progress.flatten():
            logger.warning("Claude did not take its own searches back, and goes on without them.")
        elif self._is_gone(failure, plan.choice):
            gone = self._gone(plan.choice, plan.client)
            plan.choice, plan.without = replace(plan.choice, model=""), set()
            plan.request.fall_back()
            return None, [gone]
        else:
            return _again(plan.progress, error, failure)
        return None, []

    async def _once(self, request: Request, errand: Errand) -> AsyncGenerator[Event]:
        client, deadlines = self._client_of(request), self._deadlines(request.choice)
        parameters = errands.parameters(errand, request.conversation)
        async with aclosing(
            attempt(client, parameters, request.meter, deadlines, request)
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

    def _refused(self, error: ClaudeError, plan: "Plan") -> frozenset[str]:
        """The optional parameters that were sent and refused."""
        refused = error.parameters if isinstance(error, errors.RequestRejected) else frozenset()
        return (
            refused
            & self._parameters.optional(plan.choice, plan.without, plan.meter.searches).keys()
        )

    def _unsearched(self, plan: "Plan") -> list[Notice]:
        """A notice why Claude cannot search as it should, unless it was given."""
        if not plan.choice.search or plan.told:
            return []
        refuses = self._parameters.refuses_search(plan.choice, plan.without)
        plan.told = refuses or not plan.request.meter.searches
        why = "search_left_out" if refuses else "search_too_dear"
        return [Notice(why)] if plan.told else []


@dataclass
class Plan:
    """The next attempt at an answer: what is sent, `without` which optional parameters, and whether
    the reader was `told` that there are no searches."""

    request: Request
    client: anthropic.AsyncAnthropic
    progress: Progress
    conversation: Conversation
    meter: Meter
    choice: Choice
    without: set[str] = field(default_factory=set)
    told: bool = False

    def blocks(self) -> Blocks | None:
        """The blocks to fill; None where there are no searches and citations, for they take
        time."""
        files = any(message.files for message in self.conversation)
        return Blocks(self.progress.evidence) if files or self.choice.search else None

    async def go_on(self) -> None:
        """Begins a further attempt, which has to be paid for."""
        self.conversation = self.progress.begin()
        self.meter = await self.request.again(self.conversation) or Meter(NOTHING)
        # Claude takes its searches back only with the tool
        if not self.meter.searches and self.progress.flatten():
            self.conversation = self.progress.begin()


def _again(
    progress: Progress, error: ClaudeError, failure: ClaudeError
) -> tuple[float, list[Event]]:
    """Seconds until the next attempt, and events for the reader. Raises the error if there is no
    further attempt."""
    again = progress.fail(error)
    if again is None:
        _tell_owner(error)
        raise error from failure.__cause__
    return again


def _tell_owner(error: ClaudeError) -> None:
    if sentence := for_owner(error.cause):
        logger.warning("%s Claude's request id: %s", sentence, error.request_id)
