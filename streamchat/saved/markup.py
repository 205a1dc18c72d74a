"""An answer as HTML for a page without scripts, in which it can do nothing.

It is the Markdown of the chat's own page, in the same pieces: a piece takes a bounded time, however
hostile the text. HTML is shown as text, pictures become links, and links lead to the web only.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from threading import Lock
from typing import Any

from linkify_it import LinkifyIt  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from streamchat.errors import trace
from streamchat.saved.formulas import Room, mathml
from streamchat.saved.tables import bounded_table
from streamchat.ui.cited import MARK, Look, read
from streamchat.ui.content import SOURCE, restored
from streamchat.ui.markdown import REPEATED, pieces
from streamchat.ui.prose import STOP
from streamchat.ui.sources import listed, number, searched

LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
BARE = re.compile(r"</?(?:br|sub|sup|kbd) ?/?>", re.IGNORECASE)
FORMULA = re.compile(r"\\\((.{1,2000}?)\\\)|\\\[(.{1,2000}?)\\\]|\$\$(.{1,2000}?)\$\$", re.DOTALL)
# a mark of a source as markdown-it finds it, for it looks for rules at a `<`
CITED = re.compile(rf"<{SOURCE}(\d+)>")
# in HTML, where no text has such a tag
TASK = re.compile(r"<li>\[([ xX])\] ")
# ends an address, as the chat's own mark does, for markdown-it
SPACE = "\u2028"
# of links
SAFE = {"rel": "noopener noreferrer nofollow ugc", "target": "_blank"}
FUZZY = ("fuzzy_link", "fuzzy_email", "fuzzy_ip")

Tokens = Sequence[Token]
Env = dict[str, Any]
Render = Callable[[str, Env], str]

TURN = Lock()
logger = logging.getLogger(__name__)


def drawn(text: str, room: Room | None = None, render: Render | None = None) -> Iterator[str]:
    """The HTML of an answer, a piece at a time, with its searches and sources. The `room` is
    that of the page for formulas."""
    kept = read(text)
    env = {"citations": kept.citations, "room": room or Room()}
    for part in kept.parts:
        if isinstance(part, Look):
            yield searched(part, is_whole=True) + "\n"
        else:
            yield from _words(part, env, render or MARKDOWN.render)
    if kept.citations:
        yield listed(kept.citations) + "\n"


def _words(text: str, env: Env, render: Render) -> Iterator[str]:
    """A piece that cannot be drawn is shown as text."""
    for piece in pieces(text):
        marked = MARK.sub(rf"<{SOURCE}\1>", piece)
        try:
            # linkify-it keeps what it has found until it is asked again
            with TURN:
                html = render(marked.replace(STOP, SPACE), env)
        except Exception as error:  # noqa: BLE001
            # its message may have words of the answer
            logger.error("An answer could not be drawn: %s", trace(error))  # noqa: TRY400
            html = f"<pre>{escape(piece)}</pre>\n"
        yield TASK.sub(_task, restored(html.replace(SPACE, "")).replace(SOURCE, ""))


def _cited(state: StateInline, silent: bool) -> bool:
    """The number of a source, behind the words that it supports."""
    found = CITED.match(state.src, state.pos, state.posMax)
    if found and not silent:
        html = number(state.env.get("citations", ()), int(found[1]))
        state.push("html_inline", "", 0).content = html
    state.pos = found.end() if found else state.pos
    return found is not None


def _task(found: re.Match[str]) -> str:
    return f'<li class="task">{"☐" if found[1] == " " else "☑"} '


def _formula(state: StateInline, silent: bool) -> bool:
    """A rule of markdown-it that finds formulas."""
    if state.src[state.pos] not in "\\$":
        return False
    found = FORMULA.match(state.src, state.pos, state.posMax)
    if found and not silent:
        token = state.push("formula", "", 0)
        content = CITED.sub("", next(filter(None, found.groups())))
        token.content = restored(content.strip())
        token.block = found[1] is None
    state.pos = found.end() if found else state.pos
    return found is not None


def _shown_formula(_: Any, tokens: Tokens, place: int, __: Any, env: Env) -> str:
    """A formula as MathML, or as its source."""
    token = tokens[place]
    found = mathml(token.content, env["room"], is_block=token.block)
    return found or f'<code class="formula">{escape(token.content)}</code>'


def _bare(state: StateInline, silent: bool) -> bool:
    """The few tags that an answer may have, without attributes."""
    found = BARE.match(state.src, state.pos, state.posMax)
    if found and not silent:
        state.push("html_inline", "", 0).content = found[0].lower()
    state.pos = found.end() if found else state.pos
    return found is not None


def _link(renderer: Any, tokens: Tokens, place: int, options: Any, env: Any) -> str:
    for name, value in SAFE.items():
        tokens[place].attrSet(name, value)
    return str(renderer.renderToken(tokens, place, options, env))


def _code(_: Any, tokens: Tokens, place: int, __: Any, ___: Any) -> str:
    """A code block with its language. One that continues the piece before joins that block."""
    token = tokens[place]
    goes_on = REPEATED in token.info
    language = escape(restored(token.info).strip().partition(" ")[0][:40])
    begin = '<div class="code more">' if goes_on else f'<div class="code"><p>{language}</p>'
    return f"{begin}<pre><code>{escape(token.content)}</code></pre></div>\n"


def _cell(renderer: Any, tokens: Tokens, place: int, options: Any, env: Any) -> str:
    """A table cell with a class, because the page's policy forbids styles."""
    style = str(tokens[place].attrs.pop("style", ""))
    if style:
        tokens[place].attrSet("class", style.rpartition(":")[2])
    return str(renderer.renderToken(tokens, place, options, env))


def _table(renderer: Any, tokens: Tokens, place: int, options: Any, env: Any) -> str:
    """A table. One that continues the piece before has no head."""
    cells = (token.content for token in tokens[place:] if token.type == "inline")
    goes_on = REPEATED in next(cells, "")
    begin = f'<div class="table{" more" if goes_on else ""}">'
    return begin + str(renderer.renderToken(tokens, place, options, env))


def _table_end(renderer: Any, tokens: Tokens, place: int, options: Any, env: Any) -> str:
    return str(renderer.renderToken(tokens, place, options, env)) + "</div>\n"


class Markdown(MarkdownIt):
    """Markdown that keeps line breaks, as in the chat."""

    def __init__(self) -> None:
        super().__init__("gfm-like", {"html": False, "breaks": True})
        self.disable(["image", "html_block", "html_inline"])
        # addresses that are written as such, for others are guesses
        self.linkify = LinkifyIt(options=dict.fromkeys(FUZZY, False))
        self.block.ruler.at("table", bounded_table, {"alt": ["paragraph", "reference"]})
        self.inline.ruler.before("escape", "formula", _formula)
        self.inline.ruler.before("autolink", "bare", _bare)
        self.inline.ruler.before("autolink", "cited", _cited)
        rules = {
            "formula": _shown_formula,
            "link_open": _link,
            "fence": _code,
            "code_block": _code,
            "th_open": _cell,
            "td_open": _cell,
            "table_open": _table,
            "table_close": _table_end,
        }
        for name, rule in rules.items():
            self.add_render_rule(name, rule)

    def validateLink(self, url: str) -> bool:  # noqa: N802 (markdown-it's own name)
        return LINK.match(url) is not None

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return super().normalizeLink(restored(url))


MARKDOWN = Markdown()
