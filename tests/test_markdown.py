"""Answers as the page draws them: piece by piece, and outside of what Markdown defines as they were
written."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from streamchat.ui.content import INERT, plain
from streamchat.ui.markdown import LONGEST, pieces, verbatim, written
from streamchat.ui.prose import STOP
from tests.test_content import HARMLESS, parts

PARTS = [
    "`",
    "``",
    "```",
    "```python\n",
    "```md\n",
    "~~~\n",
    "\n",
    "\n\n",
    "| a |\n",
    "|---|\n",
    "**",
    "中",
    "“",
    "。",
]
PARTS += [
    "$$",
    "\\(",
    "\\)",
    "- ",
    "-",
    "1. ",
    "    x",
    "https://a.b/",
    "（",
    "a b ",
    "> ",
    "<b>",
    "![x](y)",
    "\ufeff",
]
LONG = [letter * count for letter in "xy" for count in (3_000, 20_000)] + [
    "- an item\n" * 500,
    "a word\n\n" * 700,
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PARTS + LONG), max_size=40).map("".join)).map(
    plain
)
FORMULA = re.compile(
    r"\$\$[\s\S]+?\$\$|\\\([\s\S]+?\\\)|\\\[[\s\S]+?\\\]"
    # as Gradio finds them, before it reads Markdown
)

RIVERS = "\n\n".join(f"Paragraph {number} about a river." for number in range(2_000))
ITEMS = "".join(f"- River {number}\n" for number in range(5_000))
CODE = "```python\n" + "".join(f"river_{number} = {number}\n" for number in range(5_000)) + "```\n"
TABLE = "| River | Length |\n|---|---|\n" + "".join(
    f"| {number} | {number} km |\n" for number in range(5_000)
)
LINE = "water " * 10_000


def rendered(text: str) -> str:
    html: str = MarkdownIt("commonmark").enable("table").render(text)
    return html.replace(INERT, "").replace("\ufeff", "")


@given(TEXTS, st.integers(0, 100_000))
@settings(deadline=None)
def test_what_is_drawn_can_be_taken_back(text: str, length: int) -> None:
    """The text of an answer and of a question is found again exactly, at every prefix."""
    assert written(pieces(text[:length])) == text[:length]
    assert written([verbatim(text)]) == text


@given(TEXTS, st.integers(0, 100_000))
@settings(deadline=None)
def test_a_piece_that_is_over_never_changes(text: str, length: int) -> None:
    """While an answer grows, the page draws its last piece only."""
    before = pieces(text[:length])
    assert pieces(text)[: len(before) - 1] == before[:-1]


@given(TEXTS)
@settings(deadline=None)
def test_no_piece_has_html_or_a_picture(text: str) -> None:
    """Each piece is Markdown of its own, in which an answer is as harmless as in one piece."""
    for piece in [*pieces(text), verbatim(text)]:
        for kind, content in parts(piece):
            assert kind != "image"
            assert kind != "html_inline" or HARMLESS.fullmatch(content)


@pytest.mark.parametrize("text", [RIVERS, ITEMS, CODE, TABLE, LINE, "\n" * 50_000])
def test_no_piece_is_long(text: str) -> None:
    """The part of a long answer that each frame draws anew is short, whatever the answer consists
    of."""
    assert max(map(len, pieces(text))) <= 2 * LONGEST


def test_code_and_tables_go_on_in_the_next_piece() -> None:
    """Each piece of a long code block is code, and each of a long table a table with its header."""
    assert all(
        rendered(piece).startswith('<pre><code class="language-python">') for piece in pieces(CODE)
    )
    assert all("River</th>" in rendered(piece) for piece in pieces(TABLE))
    assert sum(rendered(piece).count("<tr>") - 1 for piece in pieces(TABLE)) == 5_000


PROSE = "A word, and then *another* one.\n\n" * 400


@pytest.mark.parametrize(
    "text",
    [
        "> ```py\n> x = 1\n> ```\n\n" + PROSE,
        "> ```py\n> x = 1\n\n" + PROSE,
        "> > ~~~\n> > x = 1\n> ~~~\n> ~~~\n\n" + PROSE,
        "As code:\n\n    ```\n    x = 1\n\n" + PROSE,
    ],
)
def test_what_follows_a_block_of_code_is_no_code(text: str) -> None:
    """Also after a block in a quotation, which ends it, and after marks that are code
    themselves."""
    _, *rest = map(rendered, pieces(text))
    assert len(rest) > 1
    assert all("<code" not in piece and "<em>another</em>" in piece for piece in rest)


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("```js\n", "let_a=1;" * 2_500),
        ("> ```js\n", "> a\n" * 3_000),
        ("~~~\n", "<b>*x*</b>" * 2_500),
    ],
)
def test_a_block_of_code_is_code_in_each_piece(before: str, line: str) -> None:
    """Wherever it is parted, in a long line, too, and in a quotation."""
    drawn = [rendered(piece) for piece in pieces(before + line)]
    opening = "<blockquote>\n<pre><code" if before.startswith(">") else "<pre><code"
    assert len(drawn) > 1
    assert all(piece.startswith(opening) and "<p>" not in piece for piece in drawn)


def test_code_deep_in_a_list_is_code_in_each_piece() -> None:
    """Its marks stand so far to the right that they would be code, too, outside of the list."""
    text = "- a\n  - b\n\n    ```py\n" + "    x = 1\n" * 2_000 + "    ```\n"
    _, *rest = map(rendered, pieces(text))
    assert rest
    assert all(piece.startswith("<pre><code>x = 1\n") for piece in rest)


@pytest.mark.parametrize(
    "text",
    [
        "In a shell `$$`, and in a subshell `$$` too.",
        "`\\(` before and `\\)` after",
        "``a ` $$ b $$``",
        "```sh\necho $$\necho $$\n```",
        "```sh\necho $$ $$\n",
        "An `open span $$x$$",
        "Text\n\n    kill $$\n    wait $$\n",
        "~~~tex\n\\[x\\]\n~~~\n",
    ],
)
def test_code_has_no_formulas(text: str) -> None:
    """Gradio would take what stands between two dollar signs for a formula, in code, too."""
    assert FORMULA.search(text)
    assert not FORMULA.search(pieces(text)[0])
    assert not FORMULA.search(verbatim(text))


@pytest.mark.parametrize(
    "text", ["$$x^2$$", "costs `5` and \\(x\\)", "- a\n\n    $$x$$\n", "a ` b\n\n\\[x\\]\n"]
)
def test_formulas_stay_formulas(text: str) -> None:
    """Outside of code."""
    assert FORMULA.search(pieces(text)[0])


NESTED = "```markdown\n# Title\n```bash\nls\n```\nmore\n```\n\nafter"


def test_a_block_of_markdown_holds_blocks() -> None:
    """It ends at its own last fence, not at the first one within it."""
    html = rendered(pieces(NESTED)[0])
    assert (
        html == '<pre><code class="language-markdown">#'
        " Title\n```bash\nls\n```\nmore\n</code></pre>\n<p>after</p>\n"
    )


@pytest.mark.parametrize(
    "text", ["```text\n```bash\n```\nafter", "```md\n~~~sh\n```\nafter", "````md\n```\n````\nafter"]
)
def test_other_blocks_end_as_markdown_has_it(text: str) -> None:
    """Only a block of Markdown holds blocks, and only those that could end it."""
    assert rendered(pieces(text)[0]) == rendered(text)


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        ("**注意：**这是重要的。他说**“你好”**然后走", ["注意：", "“你好”"]),
        ('**"x"**は', ['"x"']),
        ("これは**「太字」**です。**（注）**も", ["「太字」", "（注）"]),
        ("이것은 **'굵게'**입니다", ["'굵게'"]),
        ("2 ** 3 and **bold**, a**b", ["bold"]),
    ],
)
def test_bold_type_needs_no_space_around_it(text: str, bold: list[str]) -> None:
    """In languages that write none, next to punctuation."""
    plainer = rendered(pieces(text)[0]).replace("&quot;", '"')
    assert re.findall("<strong>(.*?)</strong>", plainer) == bold


@pytest.mark.parametrize("end", ["-", "- ", "=", "--"])
def test_the_beginning_of_a_list_makes_no_heading(end: str) -> None:
    """A line does not turn into a heading until the letter after the dash has come."""
    assert "<h" not in rendered(pieces(f"What you need:\n{end}")[0])
    assert "<h2>Title</h2>" in rendered(pieces("Title\n---\n")[0])


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("访问 https://example.com/docs（中文说明）了解更多。", ["https://example.com/docs"]),
        (
            "https://example.com/a，详见 https://example.com/b。",
            ["https://example.com/a", "https://example.com/b"],
        ),
        ("[日本](https://ja.wikipedia.org/wiki/日本)", []),
        ("`https://example.com/a，` <https://example.com/b，>", []),
    ],
)
def test_an_address_ends_at_punctuation(text: str, addresses: list[str]) -> None:
    """Also at punctuation of languages that put no space behind it."""
    assert re.findall(r"https?://[^\s<]*?(?=" + STOP + ")", pieces(text)[0]) == addresses


@pytest.mark.parametrize(
    "text", ["<script>\n    let a = 1\n</script>\n\n__name__", "``` ```` `", "\ttab\n\n\n- x\n1. y"]
)
def test_a_question_is_shown_as_it_was_typed(text: str) -> None:
    """Neither its HTML nor its Markdown nor its indentation means anything."""
    (kind, content), *more = parts(verbatim(text))
    assert (kind, content.replace(INERT, "").removesuffix("\n"), more) == ("fence", text, [])
