"""Answers as the page draws them: in pieces, and unchanged except for their Markdown."""

import re

import pytest
from hypothesis import given
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
def test_drawing_is_reversible(text: str, length: int) -> None:
    """The exact text of an answer or a question is recovered, at every prefix."""
    assert written(pieces(text[:length])) == text[:length]
    assert written([verbatim(text)]) == text


@given(TEXTS, st.integers(0, 100_000))
def test_a_piece_that_is_over_never_changes(text: str, length: int) -> None:
    """While an answer grows, only its last piece is drawn again."""
    before = pieces(text[:length])
    assert pieces(text)[: len(before) - 1] == before[:-1]


@given(TEXTS)
def test_no_piece_has_html_or_a_picture(text: str) -> None:
    """Each piece alone is as harmless as the whole answer."""
    for piece in [*pieces(text), verbatim(text)]:
        for kind, content in parts(piece):
            assert kind != "image"
            assert kind != "html_inline" or HARMLESS.fullmatch(content)


@pytest.mark.parametrize("text", [RIVERS, ITEMS, CODE, TABLE, LINE, "\n" * 50_000])
def test_no_piece_is_long(text: str) -> None:
    """The last piece, which each frame draws again, is short for any answer."""
    assert max(map(len, pieces(text))) <= 2 * LONGEST


def test_code_and_tables_go_on_in_the_next_piece() -> None:
    """A long code block is code in each piece, and a long table has its header in each."""
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
def test_text_after_a_code_block_is_no_code(text: str) -> None:
    """Also if the block was in a quotation, which ends it, or contained fences."""
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
    """A block is code after a split anywhere, even in a long line or in a quotation."""
    drawn = [rendered(piece) for piece in pieces(before + line)]
    opening = "<blockquote>\n<pre><code" if before.startswith(">") else "<pre><code"
    assert len(drawn) > 1
    assert all(piece.startswith(opening) and "<p>" not in piece for piece in drawn)


def test_code_deep_in_a_list_is_code_in_each_piece() -> None:
    """Fences that are indented as far as code are handled, too."""
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
    """Text between dollar signs in code is not taken for a formula."""
    assert FORMULA.search(text)
    assert not FORMULA.search(pieces(text)[0])
    assert not FORMULA.search(verbatim(text))


@pytest.mark.parametrize(
    "text", ["$$x^2$$", "costs `5` and \\(x\\)", "- a\n\n    $$x$$\n", "a ` b\n\n\\[x\\]\n"]
)
def test_formulas_stay_formulas(text: str) -> None:
    """Formulas outside of code are kept."""
    assert FORMULA.search(pieces(text)[0])


NESTED = "```markdown\n# Title\n```bash\nls\n```\nmore\n```\n\nafter"


def test_a_block_of_markdown_holds_blocks() -> None:
    """A block of Markdown ends at its own last fence, not at an inner one."""
    html = rendered(pieces(NESTED)[0])
    assert (
        html == '<pre><code class="language-markdown">#'
        " Title\n```bash\nls\n```\nmore\n</code></pre>\n<p>after</p>\n"
    )


@pytest.mark.parametrize(
    "text", ["```text\n```bash\n```\nafter", "```md\n~~~sh\n```\nafter", "````md\n```\n````\nafter"]
)
def test_other_blocks_end_as_markdown_has_it(text: str) -> None:
    """Only fences inside a block of Markdown nest; other blocks end by Markdown's own rule."""
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
    """Bold type works next to punctuation in languages without spaces."""
    plainer = rendered(pieces(text)[0]).replace("&quot;", '"')
    assert re.findall("<strong>(.*?)</strong>", plainer) == bold


@pytest.mark.parametrize("end", ["-", "- ", "=", "--"])
def test_the_beginning_of_a_list_makes_no_heading(end: str) -> None:
    """A dash under a line makes no heading before its list item has begun."""
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
    """Punctuation of languages without spaces ends an address, too."""
    assert re.findall(r"https?://[^\s<]*?(?=" + STOP + ")", pieces(text)[0]) == addresses


@pytest.mark.parametrize(
    "text", ["<script>\n    let a = 1\n</script>\n\n__name__", "``` ```` `", "\ttab\n\n\n- x\n1. y"]
)
def test_a_question_is_shown_as_it_was_typed(text: str) -> None:
    """HTML, Markdown and indentation of a question have no effect."""
    (kind, content), *more = parts(verbatim(text))
    assert (kind, content.replace(INERT, "").removesuffix("\n"), more) == ("fence", text, [])
