"""The environment variables as Gradio and the SDK are to find them: set this up before importing either."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from dotenv import load_dotenv

ROOT = Path(__file__).parent.parent
DEFAULTS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    # events; at the default of 1, pandas would sum up 10,000 events after each
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def prepare() -> None:
    """Reads `.env`, and sets the variables whose defaults do not suit us."""
    load_dotenv(ROOT / ".env")
    set_defaults()


def set_defaults() -> None:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if find_spec("matplotlib") is None:
        # Gradio looks for it on the disk for every frame
        sys.modules["matplotlib"] = None  # type: ignore[assignment]


def on_spaces() -> bool:
    return os.environ.get("SYSTEM") == "spaces"
