"""The command line, and the address that it and the environment choose."""

import argparse
import errno
import os
import socket
from contextlib import suppress

from streamchat.system.console import fail, say
from streamchat.system.environment import on_spaces
from streamchat.system.listener import Listener

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
FIRST_PORT = 7860
PORTS = 100
NO_OPTIONS = argparse.Namespace(host=None, port=None, share=False)


def arguments(name: str | None = None) -> argparse.Namespace:
    """The options of the program with that name; by default the name of the running file."""
    parser = argparse.ArgumentParser(prog=name, description="A streaming chat with Claude.")
    parser.add_argument(
        "--host",
        help="the address to listen on; 0.0.0.0 for the whole network (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--port", type=port, help="the port to listen on (default: the first free one from 7860)"
    )
    parser.add_argument(
        "--share", action="store_true", help="make a public link, with your key behind it"
    )
    return parser.parse_args()


def port(text: str) -> int:
    if not is_port(text):
        raise argparse.ArgumentTypeError(f"{text} is not a port: these go from 1 to 65535")
    return int(text)


def is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 65_536


def check_gradios_port() -> None:
    """Ends the program if Gradio's variable is no port: importing Gradio would fail."""
    text = os.environ.get("GRADIO_SERVER_PORT", "7860")
    if not is_port(text):
        raise fail(f"GRADIO_SERVER_PORT is {text!r}, but ports are numbers from 1 to 65535.")


def host_of(options: argparse.Namespace) -> str:
    """The address to listen on, without the brackets of IPv6."""
    return (options.host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1").strip("[]")


def is_shared(options: argparse.Namespace) -> bool:
    """Whether a public link is requested. A Space has its own address and needs none."""
    asked = options.share or os.environ.get("GRADIO_SHARE", "").lower() == "true"
    return bool(asked) and not on_spaces()


def is_public(options: argparse.Namespace) -> bool:
    """Whether anybody but the owner of this machine can reach the page."""
    return is_shared(options) or on_spaces() or host_of(options) not in LOOPBACK


def listener(options: argparse.Namespace) -> Listener:
    """A listener on the chosen port, or else on the first free one from 7860. Ends the program if
    there is none."""
    host = host_of(options)
    if chosen := options.port or os.environ.get("GRADIO_SERVER_PORT"):
        return opened(host, int(chosen))
    try:
        return Listener.open(host, FIRST_PORT)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise refused(host, FIRST_PORT, error) from None
    found = first_free(host)
    say(f"Port {FIRST_PORT} is taken (another StreamChat?). Using {found.port}.")
    return found


def first_free(host: str) -> Listener:
    for port in range(FIRST_PORT + 1, FIRST_PORT + PORTS):
        with suppress(OSError):
            return Listener.open(host, port)
    raise fail(
        f"the ports from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are all taken. Choose another one"
        " with --port."
    )


def opened(host: str, port: int) -> Listener:
    try:
        return Listener.open(host, port)
    except OSError as error:
        raise refused(host, port, error) from None


def refused(host: str, port: int, error: OSError) -> SystemExit:
    if isinstance(error, socket.gaierror):
        return fail(f"{host!r} is no address of this machine.")
    if error.errno == errno.EADDRINUSE:
        return fail(f"port {port} is in use by another program. Choose another one with --port.")
    if error.errno == errno.EADDRNOTAVAIL:
        return fail(f"{host!r} is no address of this machine.")
    return fail(f"it cannot listen on {host}, port {port}: {error.strerror}.")
