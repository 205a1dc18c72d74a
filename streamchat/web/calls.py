"""Checks a client's calls of Gradio's events before Gradio reads them. Runs behind the allowlist
and `BoundedBodies`, which passes each body on in one message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from streamchat.errors import Value
from streamchat.web.allowlist import ID
from streamchat.web.problem import Unfit
from streamchat.web.replay import replay

IN_BODIES = {"data", "session_hash", "fn_index", "trigger_id", "event_data"}

Fields = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of value, and the code of the sentence that refuses other values."""

    fits: Callable[[Any], bool]
    wording: str
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Event:
    """One event: whether it waits in Gradio's queue, its inputs with their names, and its trigger's
    data."""

    number: int
    queued: bool
    inputs: tuple[Kind, ...]
    names: tuple[str, ...]
    data: Kind


@dataclass(frozen=True)
class Events:
    """A page's events by number, its documented endpoints by name, and the components that may
    trigger events."""

    numbered: Mapping[int, Event]
    named: Mapping[str, Event]
    triggers: frozenset[int]


@dataclass(frozen=True)
class Call:
    """A checked call; its session, if it names one, and the `size` of its body in bytes."""

    number: int
    session: str | None
    size: int
    waits: bool
    is_endpoint: bool


class Invalid(Unfit):
    def __init__(self, wording: str, **values: Value) -> None:
        super().__init__(422, "invalid_call", None, wording=wording, **values)


class Calls:
    """Passes on calls of the `events` that have a session, values of the right kinds, and nothing
    else."""

    def __init__(self, app: ASGIApp, events: Callable[[Scope], Events]) -> None:
        self._app = app
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, found, path = scope.get("path", "").rpartition("/gradio_api/")
        if not found or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            received = await receive()
            scope["call"] = check(path.split("/"), received.get("body", b""), self._events(scope))
        except Unfit as error:
            await _refusal(error)(scope, receive, send)
        else:
            await self._app(scope, replay(received, receive), send)


def check(path: list[str], body: bytes, events: Events) -> Call | None:
    """The checked call, or None for a path without one. Raises `Unfit` for a body that the path
    does not accept."""
    fields = _parsed(body)
    match path:
        case ["queue", "join"]:
            event = _check_event(fields, events, queued=True)
        case ["run", _]:
            event = _check_event(fields, events, queued=False)
        case ["call", "v2", name]:
            event = _endpoint(name, events)
            _check_fields(fields, set(event.names))
            _check_data({"data": [fields.get(name) for name in event.names]}, event)
        case ["call", name]:
            event = _endpoint(name, events)
            _check_fields(fields, {"data", "session_hash"})
            if fields.get("session_hash") is not None:
                _check_id(fields, "session_hash")
            _check_data(fields, event)
        case _:
            _check_ending(path, fields, events)
            return None
    session = None if path[:2] == ["call", "v2"] else fields.get("session_hash")
    return Call(event.number, session, len(body), event.queued, event in events.named.values())


def _check_ending(path: list[str], fields: Fields, events: Events) -> None:
    if path == ["cancel"]:
        _check_fields(fields, {"event_id", "session_hash", "fn_index"})
        _check_id(fields, "session_hash")
        _event(fields, events)
    else:
        _check_fields(fields, {"event_id"})
    _check_id(fields, "event_id")


def _parsed(body: bytes) -> Fields:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise Invalid("not_an_object")
    return fields


def _check_event(fields: Fields, events: Events, *, queued: bool) -> Event:
    _check_fields(fields, IN_BODIES)
    _check_id(fields, "session_hash")
    event = _event(fields, events)
    if event.queued is not queued:
        raise Unfit(404, "unknown_event", wording="called_in_another_way")
    trigger = fields.get("trigger_id")
    if trigger is not None and not (type(trigger) is int and trigger in events.triggers):
        raise Invalid("bad_trigger")
    _check_data(fields, event)
    if not event.data.fits(fields.get("event_data")):
        raise Invalid(event.data.wording, **event.data.values)
    return event


def _endpoint(name: str, events: Events) -> Event:
    if name not in events.named:
        raise Unfit(404, "unknown_event", wording="unknown_endpoint")
    return events.named[name]


def _event(fields: Fields, events: Events) -> Event:
    number = fields.get("fn_index")
    event = events.numbered.get(number) if type(number) is int else None
    if event is None:
        raise Unfit(404, "unknown_event")
    return event


def _check_fields(fields: Fields, known: set[str]) -> None:
    if not fields.keys() <= known:
        raise Invalid("unknown_fields", fields=", ".join(sorted(known)))


def _check_id(fields: Fields, name: str) -> None:
    value = fields.get(name)
    if not (isinstance(value, str) and ID.fullmatch(value)):
        raise Invalid("bad_id", name=name)


def _check_data(fields: Fields, event: Event) -> None:
    data = fields.get("data")
    if not isinstance(data, list) or len(data) != len(event.inputs):
        raise Invalid("wrong_values", number=len(event.inputs))
    for kind, value in zip(event.inputs, data, strict=True):
        if not kind.fits(value):
            raise Invalid(kind.wording, **kind.values)


def _refusal(error: Unfit) -> JSONResponse:
    """The usual refusal, with its sentence once more where `gradio_client` looks for it."""
    detail = {
        "__type__": "validate",
        "is_valid": False,
        "parameter_name": "data",
        "message": error.message,
    }
    return error.response(detail=[detail])
