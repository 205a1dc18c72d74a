"""A call of an event of the page: the key it was sent with, and what a reader is told when it
fails."""

import logging

import gradio as gr

from streamchat.errors import ChatError, InternalError, trace
from streamchat.ui.tabs import is_id

logger = logging.getLogger(__name__)


def once(request: gr.Request) -> str:
    """The key with which the page sent a message, or would send the one that is typed; empty
    without one."""
    key = request.headers.get("idempotency-key", "")
    return key if is_id(key) else ""


def explained(error: Exception) -> ChatError:
    """The error as a reader may see it."""
    if isinstance(error, ChatError):
        return error
    logger.error("The page failed with %s", trace(error))
    return InternalError()
