"""Whatever goes wrong over HTTP, said in JSON with a status: a code for programs and a sentence for
people."""

import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from streamchat.errors import ChatError, InternalError, trace
from streamchat.events import Failed
from streamchat.texts import worded

logger = logging.getLogger(__name__)

# a refusal may pass, and some statuses may be kept by caches unless told otherwise
NO_STORE = {"Cache-Control": "no-store"}


def problem(error: ChatError | Failed) -> JSONResponse:
    headers = (
        {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
    )
    return refused(error.status, error.code, worded(error), headers)


def unfit(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> HTTPException:
    """To be raised: the request is not one that these routes take."""
    return HTTPException(status, {"code": code, "message": message}, headers)


def refused(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The same as a response, for middleware."""
    return JSONResponse({"code": code, "message": message}, status, NO_STORE | (headers or {}))


class Route(APIRoute):
    """Answers whatever goes wrong by itself, and asks nothing of the app it is part of.

    Takes HEAD where it takes GET, but for described routes, whose description would have each of
    them twice.
    """

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
            except HTTPException as error:
                return JSONResponse(
                    error.detail, error.status_code, NO_STORE | dict(error.headers or {})
                )
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it
            except Exception as error:  # noqa: BLE001
                # its message stays out of the log
                logger.error("A request failed with %s", trace(error))  # noqa: TRY400
                return problem(InternalError())

        return handled
