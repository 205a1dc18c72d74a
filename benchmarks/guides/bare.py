"""The limit: Claude's deltas, parsed by hand and passed on by Starlette."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

CLAUDE = urlsplit(os.environ["ANTHROPIC_BASE_URL"])


async def deltas(message: str) -> AsyncGenerator[str]:
    question = {"model": "claude-sonnet-5-5", "max_tokens": 16_000, "stream": True}
    body = json.dumps({**question, "messages": [{"role": "user", "content": message}]}).encode()
    reader, writer = await asyncio.open_connection(CLAUDE.hostname, CLAUDE.port)
    head = (
        f"POST /v1/messages HTTP/1.1\r\nhost: {CLAUDE.netloc}\r\ncontent-type: application/json\r\n"
    )
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    await reader.readuntil(b"\r\n\r\n")
    received = b""
    while size := int(await reader.readline(), 16):
        *lines, received = (received + (await reader.readexactly(size + 2))[:-2]).split(b"\n")
        for line in lines:
            if line.startswith(b'data: {"type":"content_block_delta"'):
                yield json.loads(line[6:])["delta"]["text"]
    writer.close()


async def answer(request: Request) -> StreamingResponse:
    message = (await request.json())["message"]
    return StreamingResponse(deltas(message), media_type="text/plain")


app = Starlette(routes=[Route("/api/streaming-chat", answer, methods=["POST"])])
