"""The steps before the slow imports, in their necessary order."""

import argparse
import signal
from typing import TYPE_CHECKING

from streamchat import command
from streamchat.system import console, environment
from streamchat.system.listener import Listener

if TYPE_CHECKING:
    from streamchat.chat import Source
    from streamchat.server import StreamChat
    from streamchat.settings import Settings


def run(source: "Source | None" = None) -> None:
    """Serves a chat until Ctrl-C, as `python app.py` does, with the same command line and settings.

    With a `source`, that one answers. Call it in the main thread; it ends the program with a
    sentence if the chat cannot start.
    """
    options, listener = begin()
    # it is slow, and reads the environment
    from streamchat import program  # noqa: PLC0415

    program.serve(program.created(options, source), listener, options)


def create(settings: "Settings", *, source: "Source | None" = None) -> "StreamChat":
    """Puts a chat together without serving it: `launch()` serves it, and `page` is its
    `gr.ChatInterface`.

    With a `source`, that one answers, and the settings of Claude have no effect.
    """
    environment.set_defaults()
    # Gradio reads the environment as it is imported
    from streamchat import server  # noqa: PLC0415

    return server.create(settings, source=source)


def begin(name: str | None = None) -> tuple[argparse.Namespace, Listener]:
    """Reads the command line of the program with that `name`, and opens the port. Ends the program
    with a sentence if it cannot."""
    # Ctrl-C while all this is loading ends it without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    console.open_streams()
    options = command.arguments(name)
    prepare()
    listener = command.listener(options)
    console.say("Starting...")
    return options, listener


def prepare() -> None:
    """Puts the environment in order before Gradio is imported."""
    environment.prepare()
    command.check_gradios_port()
