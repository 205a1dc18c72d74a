"""Gradio's guide to streaming chatbots, over Anthropic's SDK."""

from collections.abc import AsyncGenerator
from typing import Any

import anthropic
import gradio as gr

client = anthropic.AsyncAnthropic()


async def respond(message: str, history: list[dict[str, Any]]) -> AsyncGenerator[str]:
    messages: list[Any] = [
        {"role": turn["role"], "content": turn["content"][0]["text"]} for turn in history
    ]
    messages.append({"role": "user", "content": message})
    text = ""
    async with client.messages.stream(
        model="claude-sonnet-5-5", max_tokens=16_000, messages=messages
    ) as stream:
        async for delta in stream.text_stream:
            text += delta
            yield text


# without it, one page at a time is answered
gr.ChatInterface(respond, concurrency_limit=None).launch()
