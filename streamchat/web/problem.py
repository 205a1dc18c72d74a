"""Errors over HTTP as JSON with a status: a code for programs and a sentence for people."""

import logging
import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from streamchat.errors import ChatError, InternalError, Value, trace
from streamchat.events import Failed
from streamchat.texts import text, worded

logger = logging.getLogger(__name__)

# a refusal may pass, and some statuses may be kept by caches unless told otherwise
NO_STORE = {"Cache-Control": "no-store"}


def problem(error: ChatError | Failed) -> JSONResponse:
    headers = (
        {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    )
    content = {"code": error.code, "message": worded(error)}
    return JSONResponse(content, error.status, NO_STORE | headers)


class Unfit(Exception):
    """A request that is refused. Its sentence is that of its code, or of `wording` if several
    sentences share one code, with the `values` filled in."""

    def __init__(
        self,
        status: int,
        code: str,
        headers: Mapping[str, str] | None = None,
        *,
        wording: str = "",
        **values: Value,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = text(wording or code, **values)
        self._headers = headers or {}

    def response(self, **content: Any) -> JSONResponse:
        """The refusal as JSON, with the further `content`."""
        problem = {"code": self.code, "message": self.message}
        return JSONResponse(problem | content, self.status, NO_STORE | dict(self._headers))


def refused(
    status: int, code: str, headers: Mapping[str, str] | None = None, *, wording: str = ""
) -> JSONResponse:
    """The response of an `Unfit`, for middleware."""
    return Unfit(status, code, headers, wording=wording).response()


class Route(APIRoute):
    """Turns its own errors into responses, independently of the app around it. Accepts HEAD like
    GET, except on described routes, which the description would list twice."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        methods = self.methods or set()
        if "GET" in methods and not self.include_in_schema:
            self.methods = methods | {"HEAD"}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except ChatError as error:
                return problem(error)
            except Unfit as error:
                return error.response()
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            except Exception as error:  # noqa: BLE001
                # its message stays out of the log
                logger.error("A request failed with %s", trace(error))  # noqa: TRY400
                return problem(InternalError())

        return handled
