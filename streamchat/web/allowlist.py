"""Answers 404 on every route that neither the page, `gradio_client` nor our own routes need."""

import re
from collections.abc import Iterable, Sequence

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from streamchat.web.problem import refused

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
FILE = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")
POSTS = (
    "/gradio_api/run/{id}",
    "/gradio_api/queue/join",
    "/gradio_api/cancel",
    "/gradio_api/reset",
    "/gradio_api/call/{id}",
    "/gradio_api/call/v2/{id}",
)
GETS = (
    "/gradio_api/queue/data",
    "/gradio_api/heartbeat/{id}",
    "/gradio_api/app_id",
    "/assets/{file:path}",
    "/static/{file:path}",
    "/",
    "/config",
    "/theme.css",
    "/manifest.json",
    "/robots.txt",
    "/gradio_api/call/{id}/{event}",
    "/gradio_api/call/v2/{id}/{event}",
    "/gradio_api/info",
    "/gradio_api/startup-events",
)
# the event stream by which `gradio app.py` tells the page that the program has changed
RELOAD = "/gradio_api/dev/reload"
PARAMETERS = {"id": ID, "event": ID, "file": FILE}


class Allowlist:
    """Passes on the routes above and the `own` ones. Anything else is a 404, or a 405 if only the
    method is wrong."""

    def __init__(
        self, app: ASGIApp, own: Iterable[BaseRoute] = (), *, reloads: bool = False
    ) -> None:
        self._app = app
        self._own = tuple(own)
        self._gradios = gradios(reloads=reloads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app if scope["type"] == "lifespan" else self._checked(scope)
        await app(scope, receive, send)

    def _checked(self, scope: Scope) -> ASGIApp:
        methods: set[str] = set()
        for route in (*self._own, *self._gradios):
            match, child = route.matches(scope)
            if match is Match.FULL and (route in self._own or _is_needed(scope, child)):
                return self._app
            if match is Match.PARTIAL:
                methods |= getattr(route, "methods", None) or set()
        return _closed if scope["type"] == "websocket" else _refusal(methods)


def gradios(*, reloads: bool = False) -> tuple[Route, ...]:
    """Gradio's routes that are needed, the most used ones first."""
    gets = (*GETS, RELOAD) if reloads else GETS
    return (*_routes(POSTS, "POST"), *_routes(gets, "GET"))


def _routes(paths: Sequence[str], method: str) -> list[Route]:
    return [Route(path, _nowhere, methods=[method]) for path in paths]


def _nowhere(_: Request) -> Response:
    raise NotImplementedError


def _is_needed(scope: Scope, child: Scope) -> bool:
    """Whether the parameters are well-formed, and none is a deep link, which would show what a
    visitor saved."""
    parameters = child["path_params"].items()
    well_formed = all(PARAMETERS[name].fullmatch(value) for name, value in parameters)
    return well_formed and "deep_link" not in QueryParams(scope["query_string"])


def _refusal(methods: set[str]) -> ASGIApp:
    if methods:
        allowed = {"Allow": ", ".join(sorted(methods))}
        return refused(405, "method_not_allowed", allowed)
    return refused(404, "not_found")


async def _closed(_: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close"})
