"""The programs that are measured, and how each is started."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.server import Server

GUIDES = "benchmarks/guides"
UVICORN = ("-m", "uvicorn", "--app-dir", GUIDES, "--port", "{port}")
EVERYWHERE = {
    "ANTHROPIC_API_KEY": "sk-benchmark",
    "NO_PROXY": "127.0.0.1",
    "GRADIO_ANALYTICS_ENABLED": "False",
}
UNLIMITED = {
    "STREAMCHAT_RATE_LIMIT": "off",
    "STREAMCHAT_MAX_REPLIES": "400",
    "STREAMCHAT_VISITOR_REPLIES": "400",
    "STREAMCHAT_DAILY_BUDGET_USD": "100000",
    "STREAMCHAT_VISITOR_BUDGET_USD": "100000",
    "STREAMCHAT_AUTH": "",
}


@dataclass(frozen=True)
class Contestant:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: str = "anthropic"
    # a path that shows that it has started, and the status it has then
    ready: tuple[str, int] = ("/", 200)
    # where a reader types, on its page
    box: str | None = None
    # what is there, with something typed, when it can be sent
    send: str = ""
    # where answers stand on its page
    answers: str = ""
    gradio: bool = False  # speaks Gradio's protocol
    http: bool = False  # answers POST /api/streaming-chat
    # what its page asks for again and again, in seconds
    polls: Mapping[str, float] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        return find_spec(self.needs) is not None

    @contextmanager
    def running(self, claude: Server) -> Iterator[Server]:
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            base = {
                **EVERYWHERE,
                "ANTHROPIC_BASE_URL": claude.url,
                "STREAMCHAT_DATA_DIR": folder,
                "CHAINLIT_APP_ROOT": folder,
            }
            with Server(
                self.command, Path(folder, "log"), **{**base, **self.environment}
            ) as server:
                server.answers(*self.ready)
                yield server


OURS = Contestant(
    "StreamChat",
    ("app.py",),
    # the scripted Claude would take the request for a title for one for words
    {**UNLIMITED, "GRADIO_SERVER_PORT": "{port}", "STREAMCHAT_TITLES": "off"},
    box="#message textarea",
    send=".submit-button",
    answers="[data-testid=bot]",
    gradio=True,
    http=True,
    polls={"/gradio_api/app_id": 15.0},
)
CHAT_INTERFACE = Contestant(
    "gr.ChatInterface",
    (f"{GUIDES}/chat_interface.py",),
    {"GRADIO_SERVER_PORT": "{port}"},
    box="textarea[data-testid=textbox]",
    send=".submit-button",
    answers="[data-testid=bot]",
    gradio=True,
)
API = ("/api/streaming-chat", 405)
FASTAPI = Contestant("FastAPI + SDK", (*UVICORN, "fastapi_sdk:app"), ready=API, http=True)
BARE = Contestant("bare Starlette", (*UVICORN, "bare:app"), ready=API, http=True)
CHAINLIT = Contestant(
    "Chainlit",
    ("-m", "chainlit", "run", f"{GUIDES}/chainlit_chat.py", "--headless", "--port", "{port}"),
    needs="chainlit",
    box="#chat-input",
    send="#chat-submit:enabled",
    answers=".ai-message",
)
STREAMLIT = Contestant(
    "Streamlit",
    (
        "-m",
        "streamlit",
        "run",
        f"{GUIDES}/streamlit_chat.py",
        "--server.headless",
        "true",
        "--server.port",
        "{port}",
    ),
    {"STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"},
    needs="streamlit",
    box="[data-testid=stChatInputTextArea]",
    send="[data-testid=stChatInputSubmitButton]:enabled",
    answers="[data-testid=stChatMessage]",
)
ALL = (OURS, CHAT_INTERFACE, FASTAPI, BARE, STREAMLIT, CHAINLIT)
