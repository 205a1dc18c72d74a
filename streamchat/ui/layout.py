"""The page: a ChatInterface whose generator follows a reply, whose stop stops it, and whose reload
finds it again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from streamchat.chat import Chat
from streamchat.look import Look
from streamchat.sources.demo import Demo
from streamchat.texts import page_words, text
from streamchat.ui import gradio_internals
from streamchat.ui.actions import Action
from streamchat.ui.content import as_text
from streamchat.ui.handlers import GO_ON, Page
from streamchat.ui.tabs import Tabs
from streamchat.ui.titling import Titling
from streamchat.visitors import Identify
from streamchat.web import icons

STATIC = Path(__file__).parent / "static"


def static(*names: str) -> str:
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


CSS = static("gradio_internals.css", "ui.css")
OUTSIDE = static(
    "gradio_outside.css",
    "bar.css",
    "options.css",
    "long.css",
    "sidebar.css",
    "notes.css",
    "share.css",
    "versions.css",
    "reveal.css",
    "feedback.css",
    "files.css",
    "sources.css",
)
# shared pages have it too
SOURCES = static("sources.css")
SIDEBAR = (
    "toast",
    "saved",
    "sidebar",
    "rows",
    "chats",
    "chat_actions",
    "share",
    "chat_menu",
    "chats_foot",
)
# the first one publishes Gradio's names to the others, and the second what they build with
SCRIPTS = (
    "gradio_internals",
    "bar",
    "options",
    *SIDEBAR,
    "calls",
    "ui",
    "window_title",
    "conversations",
    "sending",
    "following",
    "attach",
    "attached",
    "composer",
    "notes",
    "sources",
    "callout",
    "receipt",
    "reveal",
    "selection",
    "fold",
    "long",
    "versions",
    "feedback",
)
SCRIPT = static(*(f"{name}.js" for name in SCRIPTS))
OPENING = static("words.js", "opening.js")
WORDS = page_words("chat")
# single dollar signs would turn prices into formulas
LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]
# events at once: an answer takes two, and Gradio keeps a worker for each
MAX_EVENTS = 900
# the event to which ui.js adds the tab's id and its draft; no event has a script of its own
CLAIM = "claim"
HIDDEN_EVENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def page(  # noqa: PLR0913 (each is a part that the composition root chooses)
    chat: Chat,
    tabs: Tabs,
    identify: Identify,
    titling: Titling | None = None,
    *,
    look: Look,
    examples: Sequence[str],
) -> gr.ChatInterface:
    this = Page(chat, tabs, identify, titling)
    go_on = gr.Button(GO_ON, visible=False, size="sm", elem_id="continue", render=False)
    # conversations.js presses it; ui.css hides it
    switch = gr.Button("", elem_id="switch", render=False)
    allowance = gr.Markdown(elem_id="allowance", render=False)
    demo = gr.ChatInterface(
        this.answer,
        # Gradio shows it as Markdown with HTML
        title=as_text(look.title),
        examples=[[example] for example in examples],
        cache_examples=False,
        flagging_mode="never",
        concurrency_limit=None,
        editable=True,
        api_visibility="private",
        textbox=gr.Textbox(
            elem_id="message",
            placeholder=WORDS["placeholder"],
            show_label=False,
            scale=7,
            max_lines=8,
            autofocus=True,
            submit_btn=True,
            stop_btn=True,
        ),
        chatbot=gr.Chatbot(
            scale=1,
            layout="panel",
            # following.js scrolls instead
            autoscroll=False,
            show_label=False,
            editable="user",
            buttons=["copy"],
            latex_delimiters=LATEX,
            placeholder=welcome(chat, look),
        ),
    )
    # the window's title, which is plain text
    demo.title = look.title
    with demo:
        switch.render()  # type: ignore[no-untyped-call]
        go_on.render()  # type: ignore[no-untyped-call]
        allowance.render()  # type: ignore[no-untyped-call]
        _wire(demo, this, go_on, allowance, switch)
        gr.api(this.chat, api_name="chat", concurrency_limit=None)  # type: ignore[attr-defined]
    gradio_internals.adapt(demo)
    return demo


gradio_internals.install()


def head(chat: Chat, look: Look, **known: bool) -> str:
    """The styles and scripts of the page, and the facts that the scripts need."""
    has_files = chat.kept_files.are_taken
    facts = look.meta(demo=is_demo(chat), takesKeys=chat.takes_keys, files=has_files, **known)
    logo = f':root {{ --sc-logo: url("{icons.address(look, "")}"); }}'
    return f"{facts}<style>{look.css}{logo}{OUTSIDE}</style><script>{SCRIPT}</script>"


def is_demo(chat: Chat) -> bool:
    return chat.source.model == Demo.model


def greet(page: gr.ChatInterface, chat: Chat, look: Look, **known: bool) -> None:
    """Shows this welcome on pages that are opened from now on."""
    page.chatbot.placeholder = welcome(chat, look)
    page.head = head(chat, look, **known)  # type: ignore[assignment]
    page.config = page.get_config_file()


def welcome(chat: Chat, look: Look) -> str:
    """The owner's words, as Markdown, and whether the demo answers."""
    lines = [f"### {as_text(look.greeting)}", as_text(look.tagline)]
    if is_demo(chat):
        key = [Action("own_key").link] if chat.takes_keys else []
        lines.append(" ".join([text("demo_mode"), *key]))
    return "\n\n".join(lines)


def _wire(
    demo: gr.ChatInterface, this: Page, go_on: gr.Button, allowance: gr.Markdown, switch: gr.Button
) -> None:
    tab, draft = gr.Textbox(visible=False, elem_id="tab"), gr.Textbox(visible=False)
    chatbot, textbox = demo.chatbot, demo.textbox
    shown = [chatbot, textbox, go_on, allowance]
    known = {
        "fn": lambda messages: (messages, messages),
        "inputs": chatbot,
        "outputs": [demo.chatbot_state, demo.chatbot_value],
        "queue": False,
        **HIDDEN_EVENT,
    }
    claimed = gr.on(
        [demo.load, switch.click],
        this.claim,
        [tab, draft],
        [tab, textbox, allowance],
        api_name=CLAIM,
        queue=False,
        trigger_mode="multiple",
        **HIDDEN_EVENT,
    )
    resumed = claimed.then(
        this.resume, None, shown, concurrency_limit=None, trigger_mode="multiple", **HIDDEN_EVENT
    )
    resumed.then(**known | {"fn": this.found})
    stopped = [chatbot, demo.chatbot_state, demo.chatbot_value, go_on, allowance]
    textbox.stop(this.stop, None, stopped, queue=False, **HIDDEN_EVENT)
    go_on.click(this.go_on, None, shown, concurrency_limit=None, **HIDDEN_EVENT).then(**known)
    gr.on(
        [textbox.submit, chatbot.retry],
        this.watch,
        None,
        [go_on, allowance],
        concurrency_limit=None,
        **HIDDEN_EVENT,
    )
    watched = [textbox, go_on, allowance]
    chatbot.example_select(
        this.watch_example, None, watched, concurrency_limit=None, **HIDDEN_EVENT
    )
    chatbot.edit(this.watch_edited, None, watched, concurrency_limit=None, **HIDDEN_EVENT)
    chatbot.undo(this.undo, chatbot, go_on, queue=False, **HIDDEN_EVENT)
