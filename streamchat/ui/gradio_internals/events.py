"""Events: how Gradio's queue waits for, cancels and shows them."""

import asyncio
import inspect
import platform
import threading
from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any

import gradio as gr
from gradio import flagging, routes

# Seconds between two looks at an empty queue. Gradio looks a thousand times a second, and has no
# setting for it.
LOOK_INTERVAL = 0.005


def install() -> None:
    # Gradio guards files that this chat never writes with a semaphore in shared memory, which may
    # not be writable
    vars(flagging)["Lock"] = threading.Lock
    routes.cancel_tasks = cancel_tasks  # type: ignore[attr-defined, assignment]


def poll_seldom(blocks: gr.Blocks, system: str = "") -> None:
    """Makes an empty queue cost less. Not needed on Windows, where Gradio polls only twenty times a
    second."""
    if (system or platform.system()) != "Windows":
        blocks._queue.sleep_when_free = LOOK_INTERVAL


def hide_spinners(blocks: gr.Blocks) -> None:
    """Hides the spinner that ChatInterface shows over the box with every message."""
    for event in blocks.fns.values():
        if event.show_progress == "full":
            event.show_progress = "hidden"


def keep_typed(chat: gr.ChatInterface) -> None:
    """Keeps the event after an answer, which unlocks the box, from clearing what was typed
    meanwhile."""
    for event in chat.fns.values():
        if event.outputs == [chat.textbox] and not event.inputs and _empties(event.fn):
            event.fn = lambda: gr.update(interactive=True)


def _empties(function: Any) -> bool:
    named = getattr(function, "__name__", "")
    return (
        named == "<lambda>" and not iscoroutinefunction(function) and "value" in (function() or {})
    )


async def cancel_tasks(names: set[str]) -> list[str]:
    """Cancels the tasks of these events once each, and only when they run. A task that Gradio
    cancels before it runs, or twice, keeps its place in the queue for ever."""
    # they run as soon as the loop comes to them
    while any(map(_is_new, _named(names))):  # noqa: ASYNC110
        await asyncio.sleep(0)
    tasks = list(_named(names))
    for task in tasks:
        if not task.cancelling():
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.get_name().partition(SEPARATOR)[2] for task in tasks]


# between a task's session and function, and its event
SEPARATOR = "<gradio-sep>"


def _named(names: set[str]) -> Iterator["asyncio.Task[Any]"]:
    for task in asyncio.all_tasks():
        name, separator, _ = task.get_name().partition(SEPARATOR)
        if separator and name in names:
            yield task


def _is_new(task: "asyncio.Task[Any]") -> bool:
    coroutine = task.get_coro()
    return (
        inspect.iscoroutine(coroutine)
        and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
    )
