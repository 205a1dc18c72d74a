"""The program: a chat made from the environment and the command line, served until a signal."""

import argparse
import gc
import os

from streamchat import command
from streamchat.system import console, environment
from streamchat.system.listener import Listener
from streamchat.system.logs import log_to_stderr

# while all this is loading, hardly anything can be thrown away
gc.disable()
from streamchat.chat import Source
from streamchat.process import Process
from streamchat.server import StreamChat, create
from streamchat.settings import Settings, SettingsError
from streamchat.visitors import Proxies
from streamchat.web.headers import HUGGING_FACE
from streamchat.web.hosts import SPACES_DOMAINS, Hosts, published

gc.enable()


def created(options: argparse.Namespace, source: Source | None = None) -> StreamChat:
    """The chat. Ends the program with a sentence if a setting cannot be used."""
    try:
        settings = Settings.read()
    except SettingsError as error:
        raise console.fail(str(error)) from None
    on_spaces = environment.on_spaces()
    return create(
        settings,
        source=source,
        proxies=Proxies.of(os.environ.get("FORWARDED_ALLOW_IPS", ""), on_spaces),
        hosts=Hosts(published(), domains=SPACES_DOMAINS if on_spaces else ()),
        framed_by=[HUGGING_FACE] if on_spaces else (),
        private=not command.is_public(options),
    )


def serve(app: StreamChat, listener: Listener, options: argparse.Namespace) -> None:
    """Serves the chat until SIGINT or SIGTERM."""
    log_to_stderr()
    Process().run(app, listener, share=command.is_shared(options))
