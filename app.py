"""StreamChat: `python app.py` opens the chat, `python app.py --help` says what else it can do."""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write("StreamChat needs Python 3.11 or later.\n")
    sys.exit(2)

import argparse
import gc
import os
import signal
import threading

from streamchat import command
from streamchat.system import console, environment

# `gradio app.py` runs this file again in another thread whenever it changes, and takes `demo` from
# it
IN_CHARGE = __name__ == "__main__" and threading.current_thread() is threading.main_thread()
if IN_CHARGE:
    # Ctrl-C while all this is loading ends it without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    console.open_streams()

options = command.arguments() if IN_CHARGE else command.NO_OPTIONS
environment.prepare()
command.check_gradios_port()
if IN_CHARGE:
    listener = command.listener(options)
    console.say("Starting...")

# while all this is loading, hardly anything can be thrown away
gc.disable()
from streamchat.process import Process
from streamchat.server import StreamChat, create
from streamchat.settings import Settings, SettingsError
from streamchat.system.logs import log_to_stderr
from streamchat.visitors import Proxies
from streamchat.web.headers import HUGGING_FACE
from streamchat.web.hosts import SPACES_DOMAINS, Hosts, published

gc.enable()


def created(options: argparse.Namespace) -> StreamChat:
    try:
        settings = Settings.read()
    except SettingsError as error:
        raise console.fail(str(error)) from None
    on_spaces = environment.on_spaces()
    return create(
        settings,
        proxies=Proxies.of(os.environ.get("FORWARDED_ALLOW_IPS", ""), on_spaces),
        hosts=Hosts(published(), domains=SPACES_DOMAINS if on_spaces else ()),
        framed_by=[HUGGING_FACE] if on_spaces else (),
        private=not command.is_public(options),
    )


app = created(options)
demo = app.page

if IN_CHARGE:
    log_to_stderr()
    Process().run(app, listener, share=command.is_shared(options))
