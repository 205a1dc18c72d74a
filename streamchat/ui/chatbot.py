"""What a Chatbot may hold: text by `user` or `assistant`. Gradio's own takes files and components from clients, too."""

from typing import Literal

from gradio.components.chatbot import ChatbotDataMessages, Message, TextMessage


class Said(Message):
    role: Literal["user", "assistant"]
    content: list[TextMessage]  # type: ignore[assignment]
    options: None = None


class Messages(ChatbotDataMessages):
    root: list[Said]  # type: ignore[assignment]
