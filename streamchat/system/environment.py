"""The environment, put in order before Gradio and the SDK read it."""

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from streamchat.system.console import fail
from streamchat.system.envfile import read_file
from streamchat.system.outbound import check_proxies, reach_directly

BESIDE = Path(__file__).parents[2]
# the folder of `.env` and `.streamchat`: that of app.py or, where the package is installed, the
# current one
ROOT = BESIDE if (BESIDE / "app.py").is_file() else Path.cwd()
PACKAGES = (
    "gradio",
    "fastapi",
    "anthropic",
    "dotenv",
    "pydantic_settings",
    "limits",
    "genai_prices",
)
DEFAULTS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    # events; at the default of 1, pandas would sum up 10,000 events after each
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
# Gradio would not finish loading with anything else in them
NUMBERS = (
    "GRADIO_NUM_PORTS",
    "GRADIO_NODE_NUM_PORTS",
    "GRADIO_ANALYTICS_MAX_EVENTS",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY",
)
# with it Gradio would never return from the launch
HOLDS = "GRADIO_DEBUG"
OWN_HOSTS = ("localhost", "127.0.0.1", "::1")


def prepare() -> None:
    """Reads `.env`. Ends the program with a sentence if it cannot run in this environment."""
    check_packages()
    read_file(ROOT / ".env")
    check_numbers()
    check_certificates()
    check_temporary_folder()
    check_proxies()
    reach_directly(OWN_HOSTS)
    set_defaults()


def set_defaults() -> None:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.pop(HOLDS, None)
    if find_spec("matplotlib") is None:
        # Gradio looks for it on the disk for every frame
        sys.modules["matplotlib"] = None  # type: ignore[assignment]


def on_spaces() -> bool:
    return os.environ.get("SYSTEM") == "spaces"


def check_packages() -> None:
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise fail(f"the package {missing[0]} is missing. {how_to_install(ROOT / '.venv')}")


def how_to_install(environment: Path) -> str:
    inside = Path(sys.prefix).resolve() == environment.resolve()
    if inside:
        return f"Run {sys.executable} -m pip install -r requirements.txt."
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    where = python.relative_to(ROOT)
    return f"Run {where} app.py; the README says how to install."


def check_numbers() -> None:
    for name in NUMBERS:
        value = os.environ.get(name, "0")
        if not value.strip().isdecimal():
            raise fail(f"{name} is {value!r}, but it should be a number.")


def check_certificates() -> None:
    """Ends the program if a file of certificates cannot be read. Httpx's own error would name
    neither the variable nor the file."""
    if log := os.environ.get("SSLKEYLOGFILE"):
        try:
            Path(log).open("ab").close()
        except OSError as error:
            raise unusable("SSLKEYLOGFILE", log, reason(error)) from None
    if file := os.environ.get("SSL_CERT_FILE"):
        # slow, and hardly ever needed
        import ssl  # noqa: PLC0415

        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except OSError as error:
            raise unusable("SSL_CERT_FILE", file, reason(error)) from None
    folders = os.environ.get("SSL_CERT_DIR")
    if folders and not any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
        raise unusable("SSL_CERT_DIR", folders, "there is no such folder")


def unusable(name: str, value: str, why: str) -> SystemExit:
    return fail(f"{name} is {value!r}, which cannot be used: {why}.")


def reason(error: OSError) -> str:
    return error.strerror or str(error)


def check_temporary_folder() -> None:
    try:
        tempfile.gettempdir()
    except OSError:
        sentence = (
            "there is no folder for temporary files. Make /tmp writable, or name a folder in"
            " TMPDIR."
        )
        raise fail(sentence) from None
