"""The face for people: a page in Gradio."""

from streamchat.ui import cited, content, markdown, prose, sources
from streamchat.ui.attached import DIGEST, MAX_FILES, as_kept, files_of, said, with_files
from streamchat.ui.blueprint import events
from streamchat.ui.choices import choices
from streamchat.ui.cited import linked
from streamchat.ui.gradio_internals import GradioSessions
from streamchat.ui.layout import (
    CSS,
    MAX_EVENTS,
    OPENING,
    SCRIPT,
    SOURCES,
    WORDS,
    greet,
    head,
    page,
)
from streamchat.ui.naming import name_of_answer
from streamchat.ui.tab import Tab
from streamchat.ui.tabs import Tabs
from streamchat.ui.theme import THEME
from streamchat.ui.titling import Titling
from streamchat.ui.transcript import Shown, conversation, message_of
from streamchat.ui.versions import MAX_TURNS, ROOT, Turn, Versions

__all__ = [
    "CSS",
    "DIGEST",
    "MAX_EVENTS",
    "MAX_FILES",
    "MAX_TURNS",
    "OPENING",
    "ROOT",
    "SCRIPT",
    "SOURCES",
    "THEME",
    "WORDS",
    "GradioSessions",
    "Shown",
    "Tab",
    "Tabs",
    "Titling",
    "Turn",
    "Versions",
    "as_kept",
    "choices",
    "cited",
    "content",
    "conversation",
    "events",
    "files_of",
    "gradio_internals",
    "greet",
    "head",
    "linked",
    "markdown",
    "message_of",
    "name_of_answer",
    "page",
    "prose",
    "said",
    "sources",
    "with_files",
]
