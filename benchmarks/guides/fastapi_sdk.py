"""FastAPI's guide to streaming responses, over Anthropic's SDK."""

from collections.abc import AsyncGenerator

from anthropic import AsyncAnthropic
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI()
client = AsyncAnthropic()


class Question(BaseModel):
    message: str


async def deltas(message: str) -> AsyncGenerator[str]:
    async with client.messages.stream(
        model="claude-sonnet-5-5",
        max_tokens=16_000,
        messages=[{"role": "user", "content": message}],
    ) as stream:
        async for text in stream.text_stream:
            yield text


@app.post("/api/streaming-chat")
async def answer(question: Question) -> StreamingResponse:
    return StreamingResponse(deltas(question.message), media_type="text/plain")
