"""Facts about one call of a page's event: its key, and the error to show if it fails."""

import logging
import re

import gradio as gr

from streamchat.errors import ChatError, InternalError, trace
from streamchat.ui.tabs import is_id

logger = logging.getLogger(__name__)


def once(request: gr.Request) -> str:
    """The key of the message that the page sends or has in its box; empty without one."""
    key = request.headers.get("idempotency-key", "")
    return key if is_id(key) else ""


def version(request: gr.Request) -> int | None:
    """The number of the last turn that the page shows; None where it does not say."""
    number = request.headers.get("x-version", "")
    return int(number) if re.fullmatch("[0-9]{1,9}", number) else None


def explained(error: Exception) -> ChatError:
    """The error to show; any other than a `ChatError` is logged and hidden."""
    if isinstance(error, ChatError):
        return error
    logger.error("The page failed with %s", trace(error))
    return InternalError()
