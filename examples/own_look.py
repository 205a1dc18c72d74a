"""The chat with a look of its own: `pip install .`, and then `python examples/own_look.py`.

Each line is a setting; lines in a file `.env`, or secrets of a Space, do the same.
"""

import os

import streamchat

LOOK = {
    "STREAMCHAT_TITLE": "Ask the gardener",
    "STREAMCHAT_TAGLINE": "Answers about soil, seeds and seasons.",
    "STREAMCHAT_WELCOME": "What grows in your garden?",
    "STREAMCHAT_ACCENT": "#2f7d32",
    "STREAMCHAT_EXAMPLES": "When do I sow tomatoes? | Why do my roses have black spots?",
    "STREAMCHAT_SYSTEM_PROMPT": "You are a gardener. Answer briefly, and in Markdown.",
}

if __name__ == "__main__":
    for name, value in LOOK.items():
        # what the environment says comes first
        os.environ.setdefault(name, value)
    streamchat.run()
