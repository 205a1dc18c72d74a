"""What the chat changes of Gradio's private behaviour, each name with its reason."""

import asyncio
import inspect
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import wraps
from inspect import iscoroutinefunction, unwrap
from io import StringIO
from typing import Any, NoReturn

import gradio as gr
from gradio import flagging, http_server, networking, processing_utils, routes
from gradio.blocks import Block, BlocksConfig
from gradio.queueing import Queue
from gradio.routes import App
from gradio.state_holder import SessionState

from streamchat.system.listener import LOOPBACK, Listener, StartFailed

# Gradio copies a file, or downloads an address, that a value names, and then serves the copy to whoever asks.
# There is no public way to turn that off, and no value of this chat names a file.
INTO_THE_CACHE = (
    (Block, "move_resource_to_block_cache"),
    (Block, "async_move_resource_to_block_cache"),
    (processing_utils, "save_file_to_cache"),
    (processing_utils, "save_bytes_to_cache"),
    (processing_utils, "save_base64_to_cache"),
    (processing_utils, "save_pil_to_cache"),
    (processing_utils, "save_img_array_to_cache"),
    (processing_utils, "save_audio_to_cache"),
    (processing_utils, "save_url_to_cache"),
    (processing_utils, "ssrf_protected_download"),
    (processing_utils, "async_ssrf_protected_download"),
    (processing_utils, "unsafe_download"),
)


def install() -> None:
    """Idempotent."""
    for owner, name in INTO_THE_CACHE:
        setattr(owner, name, refuse_file)
    BlocksConfig.__copy__ = lean_copy  # type: ignore[method-assign]
    SessionState.__setitem__ = set_block  # type: ignore[method-assign]
    # Gradio guards files that this chat never writes with a semaphore in shared memory, which may not be writable
    vars(flagging)["Lock"] = threading.Lock
    routes.cancel_tasks = cancel_tasks  # type: ignore[attr-defined, assignment]
    # the name that Gradio binds to port 0, where an IPv6 address would fail; the real port is open by then
    http_server.LOCALHOST_NAME = LOOPBACK
    http_server.Server = OneServer  # type: ignore[misc]
    http_server.start_server = start_server  # type: ignore[assignment]


def refuse_file(*_: Any, **__: Any) -> NoReturn:
    raise gr.Error("This chat takes no files.", print_exception=False)


class SessionConfig(BlocksConfig):
    """A session's blocks without the 40 kB of configuration that Gradio keeps beside them, with all that the visitor
    typed, for the sake of deep links."""

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
    """Gives a component that replaces another one its id. With a new id Gradio keeps both: one more for each reply."""
    if isinstance(value, Block):
        value._id = key
    original_set(session, key, value)


async def cancel_tasks(names: set[str]) -> list[str]:
    """Cancels the tasks of these events, each once it runs, and only once.

    A task that Gradio cancels before it runs, or again while it clears up, keeps its place in the queue for ever.
    """
    while any(map(_is_new, _named(names))):  # noqa: ASYNC110 (they run as soon as the loop comes to them)
        await asyncio.sleep(0)
    tasks = list(_named(names))
    for task in tasks:
        if not task.cancelling():
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.get_name().partition(SEPARATOR)[2] for task in tasks]


SEPARATOR = "<gradio-sep>"  # between a task's session and function, and its event


def _named(names: set[str]) -> Iterator["asyncio.Task[Any]"]:
    for task in asyncio.all_tasks():
        name, separator, _ = task.get_name().partition(SEPARATOR)
        if separator and name in names:
            yield task


def _is_new(task: "asyncio.Task[Any]") -> bool:
    coroutine = task.get_coro()
    return inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def keep_all_messages(blocks: gr.Blocks) -> None:
    """Gradio drops the unread messages of whoever came first when 2,000 sessions have come after."""
    blocks._queue.pending_messages_per_session = {}  # type: ignore[assignment]


class GradioSessions:
    """What Gradio keeps for its sessions."""

    def __init__(self, app: App) -> None:
        self._app = app

    def is_open(self, session: str, event: str) -> bool:
        """Whether it waits or runs, or its result has not been fetched."""
        return event in self._queue.event_ids_to_events or event in self._unread.get(session, ())

    def close(self, session: str) -> None:
        """Drops the messages of a session that has no stream and waits for nothing."""
        if not any(map(self._is_awaited, self._unread.get(session, ()))):
            self._drop_messages(session)

    def abandon(self, session: str) -> None:
        """Drops the messages that nobody fetches. What runs ends unread."""
        for event in self._unread.get(session, set()):
            if event in self._queue.event_ids_to_events:
                self._queue.event_ids_to_events[event].alive = False
        self._drop_messages(session)

    def forget(self, session: str) -> None:
        """Drops all that is kept for a session."""
        self.abandon(session)
        self._app.state_holder.session_data.pop(session, None)
        self._app.state_holder.time_last_used.pop(session, None)

    def tidy(self) -> None:
        """Drops the names of events that were stopped, which Gradio never does."""
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


original_server: type[http_server.Server] = getattr(http_server.Server, "replaces", http_server.Server)


class OneServer(original_server):  # type: ignore[misc, valid-type]
    """Waits for the start of the app however long it takes.

    Gradio's server gives up after 5 s and leaves its thread behind; a second server of the same app then starts on the
    next port, in a second event loop.
    """

    replaces = original_server

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._decided = threading.Event()
        self._error: Exception | None = None

    def run_in_thread(self) -> None:
        listener = listener_of(self.running_app)
        if listener is None:
            super().run_in_thread()
            return
        self.config.http = listener.http
        self.thread = threading.Thread(target=self._run, args=(listener.sockets,), daemon=True)
        self.thread.start()
        # a signal that comes just before a wait does not end it, and is handled after it
        while not self._decided.wait(1):
            pass
        if not self.started:
            raise StartFailed from self._error
        if self.reloader:
            self.watch_thread = threading.Thread(target=self._watch, daemon=True)
            self.watch_thread.start()

    def _watch(self) -> None:
        # on a Space without the package that reloads there
        with suppress(RuntimeError):
            self.watch()

    def _run(self, sockets: Sequence[socket.socket]) -> None:
        try:
            # uvicorn exits when the lifespan has failed
            with suppress(SystemExit):
                self.run(sockets=list(sockets))
        except Exception as error:  # noqa: BLE001 (the thread that waits raises it)
            self._error = error
        finally:
            self._decided.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        with silence("uvicorn.error"):
            await super().startup(sockets)
        self._decided.set()


@contextmanager
def silence(name: str) -> Iterator[None]:
    """Disables a logger: uvicorn logs the traceback of an error of which the person gets a sentence."""
    logger = logging.getLogger(name)
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


def listen_on(blocks: gr.Blocks, listener: Listener) -> None:
    """Has `launch` serve these blocks on the listener."""
    vars(blocks)["listener"] = listener


def listener_of(app: App) -> Listener | None:
    return vars(app.get_blocks()).get("listener")


original_start: Callable[..., tuple[str, int, str, http_server.Server]] = unwrap(http_server.start_server)


@wraps(original_start)
def start_server(app: App, server_name: str | None = None, **named: Any) -> tuple[Any, ...]:
    """Serves an app that has a listener on its sockets. Gradio would look for a port itself, but on 127.0.0.1."""
    listener = listener_of(app)
    if listener is None:
        return original_start(app, server_name, **named)
    *_, server = original_start(app, server_name, **named | {"server_port": 0})
    return server_name, listener.port, listener.url, server


def open_tunnel(blocks: gr.Blocks, listener: Listener) -> str:
    """The address of a public link to the blocks; raises an exception of any kind if there is none to be had.

    `launch(share=True)` would print a paragraph about it, and print what the tunnel's own program has to say.
    """
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        url = networking.setup_tunnel(listener.host, listener.port, blocks.share_token, None, None)
    url = url.replace("http://", "https://", 1)
    # pages at a link of its kind have another template
    vars(blocks).update(share=True, share_url=url)
    return url


def keep_typed(chat: gr.ChatInterface) -> None:
    """Lets the event after an answer unlock the box without emptying it of what was typed meanwhile."""
    for event in chat.fns.values():
        if event.outputs == [chat.textbox] and not event.inputs and _empties(event.fn):
            event.fn = lambda: gr.update(interactive=True)


def _empties(function: Any) -> bool:
    named = getattr(function, "__name__", "")
    return named == "<lambda>" and not iscoroutinefunction(function) and "value" in (function() or {})
