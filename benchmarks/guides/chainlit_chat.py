"""Chainlit's guide to streaming, over Anthropic's SDK."""

import chainlit as cl
from anthropic import AsyncAnthropic

client = AsyncAnthropic()


@cl.on_chat_start
def start() -> None:
    cl.user_session.set("messages", [])


@cl.on_message
async def answer(message: cl.Message) -> None:
    messages = cl.user_session.get("messages")
    messages.append({"role": "user", "content": message.content})
    shown = cl.Message(content="")
    async with client.messages.stream(
        model="claude-sonnet-5-5", max_tokens=16_000, messages=messages
    ) as stream:
        async for text in stream.text_stream:
            await shown.stream_token(text)
    messages.append({"role": "assistant", "content": shown.content})
    await shown.update()
