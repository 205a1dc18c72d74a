"""The command line, and the address that it and the environment name."""

import argparse
import errno
import os
import socket

from streamchat.console import fail
from streamchat.environment import on_spaces

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
NO_OPTIONS = argparse.Namespace(host=None, port=None, share=None)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="app.py", description="A streaming chat with Claude.")
    parser.add_argument(
        "--host",
        help="the address to listen on; 0.0.0.0 for the whole network (default: 127.0.0.1)",
    )
    parser.add_argument("--port", type=port, help="the port to listen on (default: the first free one from 7860)")
    parser.add_argument(
        "--share",
        action="store_true",
        default=None,
        help="make a public link, with your key behind it",
    )
    return parser.parse_args()


def port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65_536:
        raise argparse.ArgumentTypeError(f"{number} is not a port: these go from 1 to 65535")
    return number


def check_gradios_port() -> None:
    """Gradio would not finish loading with anything else in its variable."""
    text = os.environ.get("GRADIO_SERVER_PORT", "7860")
    if not (text.isdecimal() and 0 < int(text) < 65_536):
        raise fail(f"GRADIO_SERVER_PORT is {text!r}, but ports are numbers from 1 to 65535.")


def host(options: argparse.Namespace) -> str:
    """The address to listen on, without the brackets of IPv6."""
    return (options.host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1").strip("[]")


def is_public(options: argparse.Namespace) -> bool:
    """Whether anybody but the owner of this machine can reach the page."""
    shared = options.share or os.environ.get("GRADIO_SHARE", "").lower() == "true" or on_spaces()
    return bool(shared) or host(options) not in LOOPBACK


def check_address(host: str, port: int) -> None:
    """Ends the program if the address cannot be had: Gradio would not say what is wrong with it."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            taken = f"port {port} is in use by another program. Choose another one with --port."
            raise fail(taken) from None
        raise fail(f"it cannot listen on {host}, port {port}: {error.strerror}.") from None
