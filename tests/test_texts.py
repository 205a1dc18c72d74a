import ast
import inspect
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streamchat
from streamchat.errors import Busy, ChatError, OwnersAffair, TooManyAtOnce
from streamchat.events import CUT, Done, Failed, Notice
from streamchat.texts import ending, for_owner, text, worded
from streamchat.texts.english import AREAS, CAUSES, PAGES, UNKNOWN
from streamchat.texts.sentences import SENTENCES
from streamchat.ui.notes import fault

# what sentences may be filled with
VALUES: dict[str, Any] = {
    "error": "busy",
    "names": "a.txt, b.txt",
    "seconds": 2,
    "attempt": 1,
    "attempts": 3,
    "running": 2,
    "most": 1_000_000,
    "what": "model",
    "offered": "this and that",
    "gone": "This model",
    "instead": "That one",
    "text": "a {sentence} of {0} %s",
    "time": "20 s",
    "said": "The model sleeps.",
    "fields": "data, session_hash",
    "name": "event_id",
    "number": 2,
    "value": "many",
    "place": "messages.0",
    "reason": "Input should be a valid string",
    "last": 7,
    "size": 6_000_000,
    "claimed": "image/png",
    "media_type": "image/svg+xml",
    "megapixels": 100,
    "pages": 10_000,
    "title": "Chat",
    "date": "1 May 2026",
    "why": "The search failed.",
    "query": "rivers",
    "quote": "Words.",
    "count": 5,
    "first": 1,
}


def kinds(root: type[ChatError] = ChatError) -> list[type[ChatError]]:
    """The errors of the tree, without its root."""
    return [
        each for kind in root.__subclasses__() for each in (kind, *kinds(kind)) if is_ours(kind)
    ]


def is_ours(kind: type) -> bool:
    return kind.__module__.startswith("streamchat.")


PACKAGE = Path(streamchat.__file__).parent
TREES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text("utf-8"))
    for path in PACKAGE.rglob("*.py")
    if "english" not in path.parts
}
# calls with a code, and where among their arguments it stands
CODED = {
    "text": 0,
    "Notice": 0,
    "Invalid": 0,
    "Kind": 1,
    "Unfit": 1,
    "refused": 1,
    "FileRefused": 0,
}


def constants(tree: ast.AST) -> set[object]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def codes(call: ast.Call) -> set[object]:
    """The codes of the sentences that a call may lead to, as far as they stand in it."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    wording = [word.value for word in call.keywords if word.arg == "wording"]
    code = wording or call.args[CODED[name] :][:1] if name in CODED else []
    return {value for each in code for value in constants(each) if isinstance(value, str)}


def values_of(code: str) -> set[str]:
    """The names of the values that a sentence takes."""
    sentence = SENTENCES[code]
    if isinstance(sentence, str):
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}
    return set(inspect.signature(sentence).parameters)


def test_every_error_has_a_sentence() -> None:
    """An error that is added to the tree gets its sentence in `texts/english/failures.py`."""
    coded = [kind for kind in kinds() if hasattr(kind, "code")]
    assert [kind for kind in coded if kind().sentence not in SENTENCES] == []


def test_the_owner_reads_what_to_do() -> None:
    """Each error that only the owner can mend says how; a visitor's sentence says nothing of it."""
    for kind in OwnersAffair.__subclasses__():
        assert for_owner(kind.cause) == CAUSES[kind.cause]
        assert worded(kind()) == text("unavailable")


def test_no_sentence_is_left_over() -> None:
    """A sentence goes with the last use of its code, and no code has two sentences."""
    assert CAUSES.keys() == {kind.cause for kind in OwnersAffair.__subclasses__()}
    assert SENTENCES.keys() <= {value for tree in TREES.values() for value in constants(tree)}
    assert len(SENTENCES) == sum(map(len, AREAS))


def test_every_code_has_a_sentence() -> None:
    """A refusal, a notice or a text that is added gets its sentence in `texts/english/`."""
    silent = [
        f"{module}:{call.lineno} has {code}"
        for module, tree in TREES.items()
        for call in calls(tree)
        for code in codes(call)
        if code not in SENTENCES
    ]
    assert not silent, "\n".join(silent)


# labels, and lines that are made of values, which have tests of their own
NO_SENTENCES = {
    "demo_mode",
    "demo_answer",
    "receipt",
    "receipt_details",
    "allowance",
    "retry",
    "go_on",
    "new_chat",
    "own_key",
    "other_key",
    "placeholder",
    *("searching", "searched", "nothing_found", "sources", "few_sources"),
    *("cited_pages", "cited_passage", "searched_in_vain"),
    *("start_own_chat", "question", "answer", "nothing_shared_title"),
    *("shared_pdf", "shared_text"),
}


def test_every_sentence_can_be_filled() -> None:
    """A sentence takes the values that it names, ends as a sentence ends, and lacks nothing."""
    for code in sorted(SENTENCES.keys() - NO_SENTENCES - {"as_written"}):
        sentence = text(code, **{name: VALUES[name] for name in values_of(code)})
        assert sentence.endswith((".", "?")), code
        assert "{" not in sentence or callable(SENTENCES[code]), code


def test_a_sentence_of_an_earlier_release_is_shown_as_it_is() -> None:
    """Braces and signs of percent in it are no places for values."""
    assert worded(Notice("as_written", {"text": VALUES["text"]})) == VALUES["text"]


@pytest.mark.parametrize(
    "told", [Failed("of_tomorrow", 503), Notice("of_tomorrow"), Notice("retrying")]
)
def test_codes_of_a_later_release_have_a_general_sentence(told: Failed | Notice) -> None:
    """A later release's log is shown without an error."""
    assert worded(told) == UNKNOWN


@given(st.text(), st.dictionaries(st.text(), st.integers() | st.text() | st.floats()))
def test_nothing_in_a_log_breaks_the_page_that_words_it(code: str, values: dict[str, Any]) -> None:
    """Every stored notice, with any code and any values, becomes a sentence."""
    for name in (code, *SENTENCES):
        assert isinstance(worded(Notice(name, values)), str)


def test_values_are_said_as_people_say_them() -> None:
    """One answer is not `1 answers`."""
    assert worded(TooManyAtOnce(running=1)).startswith("You have an answer running.")
    assert worded(TooManyAtOnce(running=3)).startswith("You have 3 answers running.")


@pytest.mark.parametrize("reason", sorted(CUT))
def test_every_known_early_ending_has_a_sentence_of_its_own(reason: str) -> None:
    """A reader learns why an answer ended; a reason of tomorrow has the general sentence."""
    assert fault(Done(reason), "Half") == ending(reason) != ending("of_tomorrow")


def test_a_failure_keeps_the_values_of_its_error() -> None:
    """A log holds code and values, from which each face makes its sentence."""
    failed = Failed.of(TooManyAtOnce(running=3))
    assert (failed.code, failed.values) == ("too_many_at_once", {"running": 3})
    assert worded(failed) == worded(TooManyAtOnce(running=3))
    assert str(Busy()) == "busy"


CLAUSE = re.compile(r"(What|Whatever|Who|Whoever|Whose|Nobody)\b")
# a capital at the start, and four words or more
SENTENCE = re.compile(r"[A-Z][a-z']*,?( \S+){3}")
# Sentences that are not for readers of the page, the API or the owner's page.
ELSEWHERE = {
    # for the terminal of the person who starts the program
    *("command.py", "process.py", "settings.py", "look.py"),
    *("attachments/settings.py", "options/settings.py"),
    *("system/console.py", "system/environment.py", "system/envfile.py", "system/outbound.py"),
    # questions to ask, what Claude is told, and the demo's own answers
    *("examples.py", "options/choice.py", "saved/summary.py", "sources/claude/progress.py"),
    "chat/titles.py",
    *("sources/demo/source.py", "sources/demo/prepared.py", "sources/demo/looking.py"),
    # the description of the HTTP API
    *("api/openapi.py", "api/schema.py"),
}


def strings(node: ast.AST) -> Iterator[str]:
    """The strings in a module without docstrings and the lines of its log. An X is a value."""
    match node:
        case (
            ast.Expr(value=ast.Constant())
            | ast.Call(func=ast.Attribute(value=ast.Name(id="logger")))
        ):
            pass
        case ast.Constant(value=str(value)):
            yield value
        case ast.JoinedStr(values=parts):
            yield "".join(str(getattr(part, "value", "X")) for part in map(literal, parts))
        case _:
            for child in ast.iter_child_nodes(node):
                yield from strings(child)


def docstrings(node: ast.stmt | ast.Module) -> Iterator[str]:
    """The docstrings of a module, of its functions and classes, and of those inside them."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield (ast.get_docstring(node, clean=False) or "").lstrip()
        for each in node.body:
            yield from docstrings(each)


def literal(part: ast.expr) -> ast.expr:
    return part if isinstance(part, ast.Constant) else ast.Constant("X")


def test_sentences_for_readers_stand_in_one_place() -> None:
    """A person who translates the chat finds all of it in `texts/english/`."""
    elsewhere = [
        f"{module}: {text}"
        for module in sorted(TREES.keys() - ELSEWHERE)
        for text in strings(TREES[module])
        if SENTENCE.match(text)
    ]
    assert not elsewhere, "\n".join(elsewhere)


# the files that show the words of each page
FACES = {
    "chat": [*(PACKAGE / "ui" / "static").glob("*.*")],
    "docs": [*(PACKAGE / "api" / "docs").glob("*.*")],
    "login": [PACKAGE / "web" / "login_page.py"],
    "owner": [*(PACKAGE / "owner").rglob("*.*")],
    "refusal": [PACKAGE / "web" / "refusal_page.py"],
}
KINDS = (".html", ".js", ".py")
SOURCES = {
    page: "\n".join(file.read_text("utf-8") for file in files if file.suffix in KINDS)
    for page, files in FACES.items()
}


@pytest.mark.parametrize("page", PAGES)
def test_no_word_of_a_page_is_left_over(page: str) -> None:
    """A word goes with its last use: in a template, by its code, or by one that a script makes."""
    assert [code for code in PAGES[page] if not is_used(code, SOURCES[page])] == []


def is_used(code: str, source: str) -> bool:
    made = f"`{code.partition('_')[0]}_${{"
    counted = f'counted("{re.sub("_(one|other)$", "", code)}"'
    own = re.search(rf"""\${code}\b|["']{code}["']|\bwords\.{code}\b""", source)
    return made in source or counted in source or bool(own)


@pytest.mark.parametrize("page", FACES)
def test_every_code_on_a_page_has_words(page: str) -> None:
    """A script that asks for words that are not there would stop the page."""
    calls = re.findall(r"""\btext\((?:[^()"]* \? )?"(\w+)"(?: : "(\w+)")?""", SOURCES[page])
    counted = re.findall(r"""\bcounted\("(\w+)\"""", SOURCES[page])
    codes = {code for call in calls for code in call if code}
    assert codes | {f"{code}_other" for code in counted} <= PAGES[page].keys()


# what a script says: a capital and small letters, some words in a row, or words beside a value
PROSE = re.compile(
    r"[A-Z][a-z]+([ .,]|$)|[a-z]+( [a-z]+){2}|(\S+ )*\$\{[^}]*\}( [a-z]{2,})+$|[A-Z][a-z]+ \$"
)
# of the keyboard, and the kind of what is dragged
NAMES = {"Enter", "Escape", "Tab", "Home", "Files"}
STRING = re.compile(r"""(["'`])((?:\\.|(?!\1)[^\n])*)\1""")


def prose(script: str) -> set[str]:
    """The strings of a script that a reader would take for words."""
    code = re.sub(r"/\*.*?\*/|(^|\s)//[^\n]*", "", script, flags=re.DOTALL)
    return {text for _, text in STRING.findall(code) if PROSE.match(text)} - NAMES


def test_scripts_have_no_words_of_their_own() -> None:
    """They get their words from the server, in the language of its texts."""
    found = {path.name: prose(path.read_text("utf-8")) for path in PACKAGE.rglob("*.js")}
    assert {name: words for name, words in found.items() if words} == {}


def test_styles_have_no_words_of_their_own() -> None:
    """A style sheet draws signs, and the words of an attribute that a script has filled."""
    for path in PACKAGE.rglob("*.css"):
        drawn = re.findall(r"""content:\s*(["'])(.*?)\1""", path.read_text("utf-8"))
        assert [text for _, text in drawn if re.search(r"[^\W\d_]", text)] == [], path


class Words(HTMLParser):
    """Collects what a page says or is read aloud as."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, _: str, attributes: list[tuple[str, str | None]]) -> None:
        spoken = ("aria-label", "title", "placeholder", "alt")
        self.found += [value or "" for name, value in attributes if name in spoken]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


@pytest.mark.parametrize("html", [*PACKAGE.rglob("*.html")], ids=lambda html: html.name)
def test_pages_have_no_words_of_their_own(html: Path) -> None:
    """Their words stand in them by their codes."""
    found = [word for text in Words(html.read_text("utf-8")).found for word in text.split()]
    assert found
    assert [word for word in found if re.search(r"(?<![$a-z_])[A-Za-z]", word)] == []


@pytest.mark.parametrize("folder", ["streamchat", "tests", "benchmarks", "docs", "examples"])
def test_docstrings_begin_with_a_plain_subject_or_verb(folder: str) -> None:
    """A clause in place of a subject makes a claim hard to read and to search for."""
    files = (PACKAGE.parent / folder).rglob("*.py")
    claims = (claim for path in files for claim in docstrings(ast.parse(path.read_text("utf-8"))))
    assert [claim for claim in claims if CLAUSE.match(claim)] == []
