"""A chat with a model behind an OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio.

`pip install httpx-sse`, and then `python examples/local_model.py` asks Ollama on this machine.
"""

import json
import logging
import os
from collections.abc import AsyncGenerator

import httpx
from httpx_sse import aconnect_sse

import streamchat
from streamchat import Done, Event, Request, SourceFailed, Text

URL = os.environ.get("LOCAL_MODEL_URL", "http://127.0.0.1:11434/v1")
MODEL = os.environ.get("LOCAL_MODEL", "qwen3")
REASONS = {"length": "max_tokens", "content_filter": "refusal"}


class LocalModel:
    name = "The local model"

    def __init__(self, url: str = URL, model: str = MODEL) -> None:
        self.model = model
        # seconds; a model that is still loading takes its time
        self._client = httpx.AsyncClient(base_url=url, timeout=120)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        await self._client.aclose()

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        said = [{"role": each.role, "content": each.text} for each in request.conversation]
        body = {"model": self.model, "messages": said, "stream": True}
        reason = None
        try:
            async with aconnect_sse(self._client, "POST", "chat/completions", json=body) as answer:
                answer.response.raise_for_status()
                async for event in answer.aiter_sse():
                    # lets a slow reader slow the model down
                    await request.wanted()
                    if event.data == "[DONE]":
                        break
                    for choice in json.loads(event.data)["choices"]:
                        if text := choice["delta"].get("content"):
                            yield Text(text)
                        reason = choice.get("finish_reason") or reason
        except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError) as error:
            logging.getLogger("streamchat").warning("The local model failed: %r", error)
            raise SourceFailed("The local model does not answer. Is it running?") from error
        if reason is None:
            raise SourceFailed("The local model broke off.")
        yield Done(REASONS.get(reason, "end_turn"))


if __name__ == "__main__":
    streamchat.run(LocalModel())
