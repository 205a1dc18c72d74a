"""Changes whole responses before they are sent."""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send


def is_page(scope: Scope) -> bool:
    """Whether the request asks for the chat's page."""
    return scope["type"] == "http" and scope["path"].removeprefix(scope.get("root_path", "")) in (
        "",
        "/",
    )


def buffered(send: Send, change: Callable[[MutableHeaders, bytes], bytes]) -> Send:
    """Sends a response once it is complete. `change` gets its headers, which it may alter, and its
    body, and returns the body to send."""
    start: Message = {}
    body = bytearray()

    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        headers = MutableHeaders(scope=start)
        whole = change(headers, bytes(body))
        headers["Content-Length"] = str(len(whole))
        await send(start)
        await send({"type": "http.response.body", "body": whole})

    return hold
