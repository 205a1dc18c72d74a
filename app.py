"""StreamChat: `python app.py` opens the chat, `python app.py --help` says what else it can do."""

import argparse
import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from dotenv import load_dotenv
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

# `gradio app.py` runs this file again in a thread of its own whenever it changes, for the sake of `demo` alone
IN_CHARGE = __name__ == "__main__" and threading.current_thread() is threading.main_thread()
if IN_CHARGE:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while all this is loading ends it without a traceback


def fail(sentence: str) -> SystemExit:
    print(f"StreamChat cannot start: {sentence}", file=sys.stderr)
    return SystemExit(2)


gc.disable()  # while all this is loading, hardly anything can be thrown away
load_dotenv(Path(__file__).with_name(".env"))  # before Gradio and the SDK read their variables
PORT = os.environ.get("GRADIO_SERVER_PORT", "7860")
if not (PORT.isdecimal() and 0 < int(PORT) < 65_536):  # Gradio would not finish loading
    raise fail(f"GRADIO_SERVER_PORT is {PORT!r}, but ports are numbers from 1 to 65535.")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))  # events, or pandas sums up 10,000 after each
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
if find_spec("matplotlib") is None:
    sys.modules["matplotlib"] = None  # type: ignore[assignment] # Gradio looks for it on the disk for every frame

from streamchat import api, owner  # noqa: E402
from streamchat.account import Accounts  # noqa: E402
from streamchat.budget import Budget  # noqa: E402
from streamchat.chat import Chat  # noqa: E402
from streamchat.demo import EXAMPLES, Demo  # noqa: E402
from streamchat.events import Message  # noqa: E402
from streamchat.late import Late, Made  # noqa: E402
from streamchat.limits import Limits  # noqa: E402
from streamchat.prices import Prices  # noqa: E402
from streamchat.settings import Settings, SettingsError  # noqa: E402
from streamchat.store import Store  # noqa: E402
from streamchat.ui import CSS, HEAD, MAX_EVENTS, THEME, page  # noqa: E402
from streamchat.visitor import Proxies, visitor  # noqa: E402
from streamchat.web.allowlist import Allowlist  # noqa: E402
from streamchat.web.concurrency import ConcurrencyLimit  # noqa: E402
from streamchat.web.guard import MAX_BODY  # noqa: E402
from streamchat.web.hosts import SPACES_DOMAINS, HostCheck, Hosts, published  # noqa: E402

gc.enable()


def read_settings() -> Settings:
    try:
        return Settings.read()
    except SettingsError as error:
        raise fail(str(error)) from None


def port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65_536:
        raise argparse.ArgumentTypeError(f"{number} is not a port: these go from 1 to 65535")
    return number


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="app.py", description="A streaming chat with Claude.")
    parser.add_argument("--host", help="the address to listen on; 0.0.0.0 for the whole network (default: 127.0.0.1)")
    parser.add_argument("--port", type=port, help="the port to listen on (default: the first free one from 7860)")
    parser.add_argument(
        "--share", action="store_true", default=None, help="make a public link, with your key behind it"
    )
    return parser.parse_args()


def who(peer: str | None, headers: Mapping[str, str], user: str | None) -> str:
    return visitor(peer, headers, proxies=proxies, user=user)


def chat_of(settings: Settings, store: Store) -> Chat:
    paid = bool(settings.api_key.get_secret_value())
    prices = Prices(settings.model)
    claude = Late(f"Claude ({settings.model})", settings.model, lambda: claude_of(settings))
    budget = Budget(store, daily=settings.daily_budget_usd, visitor=settings.visitor_budget_usd) if paid else None
    if budget:
        warn_of_too_little(settings, prices)
    return Chat(
        claude if paid else Demo(),
        store,
        linger=settings.linger_seconds,
        keep=settings.keep_seconds,
        limits=Limits(
            rate=settings.rate_limit, visitor_replies=settings.visitor_replies, max_replies=settings.max_replies
        ),
        accounts=Accounts(budget, prices, settings.system_prompt, settings.max_tokens),
        spare=Demo(),
        own=claude if settings.own_keys == "on" else None,
    )


def warn_of_too_little(settings: Settings, prices: Prices) -> None:
    """Of money for the shortest question, which nobody would get an answer to on any day; none at all may be meant."""
    money = {"DAILY": settings.daily_budget_usd, "VISITOR": settings.visitor_budget_usd}
    least = min(money, key=money.__getitem__)
    worst = prices.worst((Message("user", "?"),), settings.system_prompt, settings.max_tokens)
    if 0 < money[least] < worst:
        logging.getLogger("streamchat").warning(
            "Nobody can ask Claude: an answer may cost $%.2f, and STREAMCHAT_%s_BUDGET_USD is %g. "
            "Raise it above that, or lower STREAMCHAT_MAX_TOKENS, which is %d.",
            worst,
            least,
            money[least],
            settings.max_tokens,
        )


def claude_of(settings: Settings) -> Made:
    from streamchat.claude import Claude  # noqa: PLC0415 (the SDK takes a second, and the page need not wait)

    return Claude(settings)


def routes() -> list[BaseRoute]:
    """All that is answered beside the page."""
    found = api.routes(chat, who, settings.login).routes
    password = settings.owner_password.get_secret_value()
    return [*found, *(owner.routes(chat, who, password).routes if password else ())]


def is_public(options: argparse.Namespace) -> bool:
    """Whether anybody but the owner of this machine can reach the page."""
    host = options.host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    shared = options.share or os.environ.get("GRADIO_SHARE", "").lower() == "true" or ON_SPACES
    return bool(shared) or host.strip("[]") not in {"localhost", "127.0.0.1", "::1"}


ON_SPACES = os.environ.get("SYSTEM") == "spaces"
options = arguments() if IN_CHARGE else argparse.Namespace(host=None, port=None, share=None)
settings = read_settings() if is_public(options) else read_settings().only_for_the_owner()
proxies = Proxies.of(os.environ.get("FORWARDED_ALLOW_IPS", ""), ON_SPACES)
hosts = Hosts([*settings.host_names, *published()], domains=SPACES_DOMAINS if ON_SPACES else ())
store = Store(settings.data_dir)
chat = chat_of(settings, store)
demo = page(chat, store, who, title="StreamChat", examples=EXAMPLES)


def check_address(host: str, port: int) -> None:
    """Gradio tries a host it cannot have a hundred times over, and does not say whether it is host or port."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise fail(f"port {port} is in use by another program. Choose another one with --port.") from None
        raise fail(f"it cannot listen on {host}, port {port}: {error.strerror}.") from None


def put_own_middleware_first(app: FastAPI) -> None:
    """Gradio puts its own in front: it allows other sites to read answers, and replies to them by itself."""
    app.user_middleware.sort(key=lambda each: not _is_own(each))
    app.middleware_stack = app.build_middleware_stack()


def _is_own(middleware: Middleware) -> bool:
    return getattr(middleware.cls, "__module__", "").startswith("streamchat.")


class Server:
    """The page on its port until SIGINT or SIGTERM; then the replies end, and Claude's connections with them."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shared = False

    def run(self, options: argparse.Namespace) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        self._launch(options)
        while not self._stopping.wait(1):
            pass
        print("\nStopping.")
        self._close()

    def _launch(self, options: argparse.Namespace) -> None:
        host = (options.host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1").strip("[]")
        check_address(host, options.port or 0)
        hosts.add_machine(host)
        threading.Thread(target=hosts.add_own_machine, daemon=True).start()
        own = routes()
        try:
            _, local_url, share_url = demo.launch(
                server_name=f"[{host}]" if ":" in host else host,
                server_port=options.port,
                share=options.share,
                auth=settings.login,
                app_kwargs={
                    "title": "StreamChat",
                    "routes": own,
                    "docs_url": "/docs",
                    "middleware": [
                        Middleware(HostCheck, hosts, proxies),
                        Middleware(Allowlist, own, reloads=demo.dev_mode),
                        Middleware(ConcurrencyLimit),
                    ],
                    "max_body_size": MAX_BODY,
                    "lifespan": self._lifespan,
                },
                ssr_mode=False,
                max_threads=MAX_EVENTS,
                max_file_size=0,  # nobody here has a file to send
                blocked_paths=[Path(__file__).anchor],  # the whole disk: Gradio may not copy or serve any file of it
                run_history=False,
                prevent_thread_lock=True,
                show_error=False,
                quiet=True,
                theme=THEME,
                css=CSS,
                head=HEAD,
            )
        except OSError as error:
            raise fail(str(error)) from None
        print(f"StreamChat is at {local_url}", flush=True)
        self._shared = bool(share_url)
        if share_url:
            hosts.add(share_url)
            print(f"and for everybody at {share_url}", flush=True)
        if settings.owner_password:
            print(f"Its owner's page is at {local_url}{owner.PATH.lstrip('/')}", flush=True)
        print(f"{chat.source.name} answers. Stop with Ctrl-C.", flush=True)

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncGenerator[None]:
        self._loop = asyncio.get_running_loop()
        put_own_middleware_first(app)
        await chat.open()
        gc.collect()
        gc.freeze()  # what is there now stays, and need not be looked through again
        gc.set_threshold(50_000, 20, 50)  # a frame makes thousands of values, and hardly any garbage in cycles
        yield

    def _close(self) -> None:
        """The server's thread ends with the process: Gradio's own close waits five seconds and shows pages an error."""
        if self._loop:
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self._farewell(), self._loop).result(timeout=1.5)
        logging.shutdown()
        sys.stdout.flush()
        if not self._shared:  # Gradio ends the tunnel of a share link as the interpreter exits
            os._exit(0)  # which takes a second to tidy up what the system tidies up anyway

    @staticmethod
    async def _farewell() -> None:
        await chat.close()
        await asyncio.sleep(0.3)  # for the pages' last frames to leave


if IN_CHARGE:
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    replies = logging.getLogger("streamchat.telemetry")
    replies.setLevel(logging.INFO)
    replies.addHandler(logging.StreamHandler())  # bare lines of JSON
    replies.propagate = False
    Server().run(options)
