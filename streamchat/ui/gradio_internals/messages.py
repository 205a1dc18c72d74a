"""Messages: those that a Chatbot accepts from its page, and those that it makes for every frame."""

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from itertools import takewhile
from typing import Any, Literal

import gradio as gr
from gradio.components.chatbot import ChatbotDataMessages, Message, TextMessage

from streamchat.ui.attached import bare
from streamchat.ui.markdown import written
from streamchat.ui.room import with_last_refused
from streamchat.ui.transcript import Shown, drawn, exact, is_made


def install() -> None:
    # of the class, as each session has chatbots of its own; and Gradio would write a file beside a
    # subclass's source
    gr.Chatbot.postprocess = postprocess  # type: ignore[assignment, method-assign]
    gr.Chatbot.data_model = Messages
    gr.Textbox.postprocess = typed  # type: ignore[assignment, method-assign]


class Said(Message):
    """A text message by `user` or `assistant`. Gradio's own model accepts files and components
    too."""

    role: Literal["user", "assistant"]
    content: list[TextMessage]  # type: ignore[assignment]
    options: None = None


class Messages(ChatbotDataMessages):
    root: list[Said]  # type: ignore[assignment]


# unwrapped, as `gradio app.py` may run this again
original_messages: Callable[[gr.Chatbot, Any], Any] = unwrap(gr.Chatbot.postprocess)


@wraps(original_messages)
def postprocess(chatbot: gr.Chatbot, messages: list[Shown] | None) -> list[Shown]:
    """Gradio's messages, safe to show. Unchanged earlier ones are reused; Gradio would make them
    anew for every frame."""
    fitting = [bare(message) for message in with_last_refused(messages or ())]
    made = list(takewhile(is_made, fitting))
    new = original_messages(
        chatbot, [exact(message) for message in fitting[len(made) :]]
    ).model_dump()
    return [*made, *map(drawn, new)]


original_text: Callable[[gr.Textbox, Any], Any] = unwrap(gr.Textbox.postprocess)


@wraps(original_text)
def typed(textbox: gr.Textbox, value: str | None) -> str | None:
    """A question as it was typed, for the box."""
    return original_text(textbox, written([value]) if value else value)  # type: ignore[no-any-return]
