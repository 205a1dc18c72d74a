"""Changes to Gradio's private behaviour, each name with its reason, by theme."""

import gradio as gr

from streamchat.ui.gradio_internals import events, files, messages, serving, sessions
from streamchat.ui.gradio_internals.events import cancel_tasks
from streamchat.ui.gradio_internals.serving import listen_on, open_tunnel
from streamchat.ui.gradio_internals.sessions import GradioSessions

__all__ = ["GradioSessions", "adapt", "cancel_tasks", "install", "listen_on", "open_tunnel"]


def install() -> None:
    """Idempotent."""
    for theme in (files, sessions, events, messages, serving):
        theme.install()


def adapt(chat: gr.ChatInterface) -> None:
    """Changes what Gradio has made of a page, which has all its events by then."""
    events.hide_spinners(chat)
    events.keep_typed(chat)
    events.poll_seldom(chat)
    sessions.keep_all_messages(chat)
