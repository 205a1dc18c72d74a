"""A Gradio page without a browser: it fires the events that the app's configuration asks for, and
keeps what came."""

import asyncio
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.wire import Wire


@dataclass(frozen=True)
class Event:
    """A dependency of Gradio's configuration: a call of the server, and what starts it."""

    id: int
    inputs: list[int]
    outputs: list[int]
    starts: list[Sequence[Any]]
    after: int | None
    queued: bool
    calls: bool

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        inputs, outputs, starts = fields["inputs"], fields["outputs"], fields["targets"]
        return cls(
            fields["id"],
            inputs,
            outputs,
            starts,
            fields["trigger_after"],
            fields["queue"],
            fields["backend_fn"],
        )


class Blueprint:
    """A page's knowledge of its server before anything has happened."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.prefix = config["api_prefix"]
        self.events = [
            Event.of(fields)
            for fields in config["dependencies"]
            if not fields["trigger_only_on_failure"]
        ]
        self.values = {component["id"]: _value(component) for component in config["components"]}
        self.box = next(
            part for event in self.events for part, kind in event.starts if kind == "submit"
        )
        self.chatbot = next((it["id"] for it in config["components"] if it["type"] == "chatbot"), 0)
        self.tab = next((event.inputs[0] for event in self.started("load") if event.inputs), 0)

    @classmethod
    async def of(cls, url: str) -> Self:
        wire = Wire(url)
        config = json.loads(await wire.get("/config"))
        wire.close()
        return cls(config)

    def started(self, kind: str) -> list[Event]:
        return [event for event in self.events if any(start[1] == kind for start in event.starts)]

    def following(self, event: Event) -> list[Event]:
        return [later for later in self.events if later.after == event.id]


class Tab:
    """One page, open until it is closed. `frames` are the pieces of the last reply and when each
    was there.

    A page of StreamChat has an `id`; one that has that of `before` shows the same after it was
    opened.
    """

    def __init__(
        self,
        url: str,
        blueprint: Blueprint,
        polls: Mapping[str, float],
        source: str | None = None,
        before: str = "",
    ) -> None:
        self.frames: list[tuple[float, bytes]] = []
        self.wire = Wire(url, source)
        self.asked_at = 0.0
        self._blueprint = blueprint
        self._polls = polls
        self._session = secrets.token_hex(6)
        self._values = dict(blueprint.values)
        if before:
            self._values[blueprint.tab] = before
        self._tasks: list[asyncio.Task[None]] = []
        self._listening: asyncio.Task[None] | None = None
        self._completed: defaultdict[str, asyncio.Future[list[Any]]] = defaultdict(asyncio.Future)

    async def open(self) -> None:
        await self.wire.get("/")
        self._tasks = [
            asyncio.create_task(self._poll(path, seconds)) for path, seconds in self._polls.items()
        ]
        self._tasks.append(asyncio.create_task(self._beat()))
        await self._fire(self._blueprint.started("load"))

    async def ask(self, message: str) -> None:
        """Presses Enter, and waits until all that follows from it has happened."""
        self.frames = []
        self.asked_at = time.time()
        self._values[self._blueprint.box] = message
        await self._fire(self._blueprint.started("submit"))

    @property
    def id(self) -> str:
        return str(self._values[self._blueprint.tab])

    def shown(self) -> str:
        """All that it shows, as JSON."""
        return json.dumps(list(self._values.values()), default=str)

    def conversation(self) -> list[Any]:
        """The messages that it shows."""
        return list(self._values[self._blueprint.chatbot])

    def close(self) -> None:
        for task in [*self._tasks, *([self._listening] if self._listening else [])]:
            task.cancel()
        self.wire.close()

    async def _fire(self, events: Sequence[Event]) -> None:
        await asyncio.gather(*map(self._run, events))

    async def _run(self, event: Event) -> None:
        if event.calls:
            call: dict[str, Any] = {
                "data": [self._values.get(part) for part in event.inputs],
                "event_data": None,
            }
            call |= {
                "fn_index": event.id,
                "trigger_id": self._blueprint.box,
                "session_hash": self._session,
            }
            self._show(event, await (self._queue(call) if event.queued else self._predict(call)))
        await self._fire(self._blueprint.following(event))

    def _show(self, event: Event, outputs: Sequence[Any]) -> None:
        for part, value in zip(event.outputs, outputs, strict=False):
            if not isinstance(value, dict) or value.get("__type__") != "update":
                self._values[part] = value
            elif "value" in value:
                self._values[part] = value["value"]

    async def _predict(self, call: Mapping[str, Any]) -> list[Any]:
        answer = await self.wire.post(f"{self._blueprint.prefix}/run/predict", call)
        return list(answer["data"])

    async def _queue(self, call: Mapping[str, Any]) -> list[Any]:
        joined = await self.wire.post(f"{self._blueprint.prefix}/queue/join?", call)
        if not self._listening or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        return await self._completed[joined["event_id"]]

    async def _listen(self) -> None:
        received = b""
        path = f"{self._blueprint.prefix}/queue/data?session_hash={self._session}"
        async for at, piece in self.wire.stream("GET", path):
            self.frames.append((at, piece))
            *whole, received = (received + piece).split(b"\n\n")
            for message in whole:
                if b'"process_completed"' in message[:400]:
                    self._complete(json.loads(message.removeprefix(b"data: ")))
                elif b'"close_stream"' in message[:400]:
                    self._listening = self._listen_on()

    def _listen_on(self) -> asyncio.Task[None] | None:
        """Opens the next stream for a call that was queued after the server closed this one."""
        if all(answer.done() for answer in self._completed.values()):
            return None
        return asyncio.create_task(self._listen())

    def _complete(self, message: Mapping[str, Any]) -> None:
        if not message["success"]:
            raise RuntimeError(f"The page shows an error: {message}")
        self._completed[message["event_id"]].set_result(message["output"]["data"])

    async def _poll(self, path: str, seconds: float) -> None:
        while True:
            await self.wire.get(path)
            await asyncio.sleep(seconds)

    async def _beat(self) -> None:
        async for _ in self.wire.stream(
            "GET", f"{self._blueprint.prefix}/heartbeat/{self._session}"
        ):
            pass


def _value(component: Mapping[str, Any]) -> Any:
    value = component["props"].get("value", component["props"].get("default_value"))
    return "" if value is None and component["type"] == "textbox" else value
