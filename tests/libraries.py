"""Imports the libraries of `app.py` that no test changes. `tests/forked.py` forks apps from a
process that has imported this."""

import sys
from importlib import import_module

from streamchat.system import environment

LIBRARIES = ("gradio", "gradio.chat_interface", "anthropic", "genai_prices.data", "uvicorn")

environment.set_defaults()
for library in LIBRARIES:
    import_module(library)
# each app loads the package of its own folder
for name in [name for name in sys.modules if name.partition(".")[0] == "streamchat"]:
    del sys.modules[name]
