"""Tables of a shared page. A table of many cells and few words is shown as its text: Markdown adds
empty cells to short rows, so that a few characters could become a page of cells."""

from markdown_it.rules_block import StateBlock, table

from streamchat.ui.markdown import REPEATED

MOST_COLUMNS = 50
# of the text for an empty cell
CHARACTERS = 2
SIGNS = set("|-: \t")


def bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A rule of markdown-it, as its own rule for tables."""
    if start + 2 > end or not _is_too_large(state, start):
        return table(state, start, end, silent)
    is_shown_before = REPEATED in _line(state, start)
    if is_shown_before and not silent:
        # leaves out the lines that the piece repeats
        state.line = start + 2
    return is_shown_before and not silent


def _is_too_large(state: StateBlock, start: int) -> bool:
    rule = _line(state, start + 1)
    columns = rule.strip("| \t").count("|") + 1
    if columns == 1 or not SIGNS.issuperset(rule):
        return False
    rows = state.src[state.eMarks[start + 1] :].partition("\n\n")[0]
    number = rows.count("\n")
    missing = number * (columns - 1) - rows.count("|")
    length = len(rows) + 2 * len(rule)
    return columns > MOST_COLUMNS or missing * CHARACTERS > length


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
