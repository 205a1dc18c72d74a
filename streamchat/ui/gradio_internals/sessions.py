"""Sessions: the data that Gradio keeps for each page, and when it is dropped."""

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from typing import Any

import gradio as gr
from gradio.blocks import Block, BlocksConfig
from gradio.queueing import Queue
from gradio.routes import App
from gradio.state_holder import SessionState


def install() -> None:
    # a session's blocks are copied with each page that opens, and set with each component that an
    # event replaces
    BlocksConfig.__copy__ = lean_copy  # type: ignore[method-assign]
    SessionState.__setitem__ = set_block  # type: ignore[method-assign]


class SessionConfig(BlocksConfig):
    """A session's blocks without the 40 kB of configuration, including all typed values, that
    Gradio keeps for deep links."""

    @staticmethod
    def config_for_block(*_: Any, **__: Any) -> dict[str, Any]:
        return {}


original_copy: Callable[[BlocksConfig], BlocksConfig] = unwrap(BlocksConfig.__copy__)
original_set: Callable[[SessionState, int, Any], None] = unwrap(SessionState.__setitem__)


@wraps(original_copy)
def lean_copy(config: BlocksConfig) -> BlocksConfig:
    copied = original_copy(config)
    copied.__class__ = SessionConfig
    return copied


@wraps(original_set)
def set_block(session: SessionState, key: int, value: Any) -> None:
    """Gives a replaced component its predecessor's id. With a new id Gradio would keep both, one
    more for each reply."""
    if isinstance(value, Block):
        value._id = key
    original_set(session, key, value)


def keep_all_messages(blocks: gr.Blocks) -> None:
    """Keeps Gradio from dropping the oldest session's unread messages after 2,000 further
    sessions."""
    blocks._queue.pending_messages_per_session = {}  # type: ignore[assignment]


class GradioSessions:
    """Gradio's records of its sessions."""

    def __init__(self, app: App) -> None:
        self._app = app

    def is_open(self, session: str, event: str) -> bool:
        """Whether the event waits, runs, or has a result that was not fetched."""
        return event in self._queue.event_ids_to_events or event in self._unread.get(session, ())

    def close(self, session: str) -> None:
        """Drops the messages of a session without a stream and without waiting events."""
        if not any(map(self._is_awaited, self._unread.get(session, ()))):
            self._drop_messages(session)

    def abandon(self, session: str) -> None:
        """Drops a session's unread messages. Running events end unread."""
        for event in self._unread.get(session, set()):
            if event in self._queue.event_ids_to_events:
                self._queue.event_ids_to_events[event].alive = False
        self._drop_messages(session)

    def forget(self, session: str) -> None:
        """Drops everything that Gradio keeps for a session."""
        self.abandon(session)
        self._app.state_holder.session_data.pop(session, None)
        self._app.state_holder.time_last_used.pop(session, None)

    def tidy(self) -> None:
        """Drops the names of stopped events, which Gradio keeps for ever."""
        self._app.iterators_to_reset &= self._queue.event_ids_to_events.keys()

    def _is_awaited(self, event: str) -> bool:
        running = self._queue.event_ids_to_events.get(event)
        return running is None or running.alive

    def _drop_messages(self, session: str) -> None:
        self._queue.pending_messages_per_session.pop(session, None)
        self._unread.pop(session, None)

    @property
    def _queue(self) -> Queue:
        return self._app.get_blocks()._queue

    @property
    def _unread(self) -> dict[str, set[str]]:
        return self._queue.pending_event_ids_session
