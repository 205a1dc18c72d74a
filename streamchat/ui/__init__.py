"""The face for people: a page in Gradio."""

from streamchat.ui.blueprint import events
from streamchat.ui.gradio_internals import GradioSessions
from streamchat.ui.layout import CSS, MAX_EVENTS, OPENING, SCRIPT, greet, head, page
from streamchat.ui.naming import name_of_answer
from streamchat.ui.tab import Tab
from streamchat.ui.tabs import Tabs
from streamchat.ui.theme import THEME
from streamchat.ui.transcript import conversation, message_of

__all__ = [
    "CSS",
    "MAX_EVENTS",
    "OPENING",
    "SCRIPT",
    "THEME",
    "GradioSessions",
    "Tab",
    "Tabs",
    "conversation",
    "events",
    "gradio_internals",
    "greet",
    "head",
    "message_of",
    "name_of_answer",
    "page",
]
