"""Sources and searches as HTML of the page's own, within an answer whose HTML is inert.

Every sign of foreign words and addresses is an entity, so that neither Markdown, formulas nor HTML
read any of them. sources.css shows it, and sources.js adds what Gradio's sanitizer takes away.
"""

from collections.abc import Iterator, Sequence

from streamchat import texts
from streamchat.events import Citation, FoundPage
from streamchat.ui.cited import MARK, Look, goes_to, has_marks, read, sources
from streamchat.ui.content import as_text
from streamchat.ui.markdown import pieces

# sources that are listed without a click
FEW = 3
# characters of a passage
LONGEST_PASSAGE = 160


def drawn(text: str) -> Iterator[str]:
    """The answer in pieces: as `pieces`, with numbers in the place of marks, a line for each
    search, and the sources at the end."""
    if not has_marks(text):
        yield from pieces(text)
        return
    kept = read(text)
    for part in kept.parts:
        if isinstance(part, Look):
            yield searched(part, is_whole=kept.is_whole)
        else:
            yield from (numbered(piece, kept.citations) for piece in pieces(part.strip("\n")))
    if kept.is_whole and kept.citations:
        yield listed(kept.citations)


def numbered(piece: str, citations: Sequence[Citation]) -> str:
    return MARK.sub(lambda found: number(citations, int(found[1])), piece)


def number(citations: Sequence[Citation], place: int) -> str:
    """The number of a source as a link, or as a word if it is no page of the web."""
    if place >= len(citations):
        return ""
    it = citations[place]
    words = f"&#91;{it.number}&#93;"
    about = as_text(", ".join(filter(None, [it.title, it.site, _place(it)])))
    if url := goes_to(it.url):
        return _link("sc-cite", url, words, about)
    return f'<span class="sc-cite" title="{about}">{words}</span>'


def searched(look: Look, *, is_whole: bool) -> str:
    """One line, which opens to the pages that were found."""
    line = as_text(_told(look, is_whole=is_whole))
    pages = look.found.sources if look.found else ()
    if not pages:
        return f'<div class="sc-search">{line}</div>'
    items = "".join(f"<li>{_page(page)}</li>" for page in pages)
    return f'<details class="sc-search"><summary>{line}</summary><ul>{items}</ul></details>'


def listed(citations: Sequence[Citation]) -> str:
    """The sources of an answer. More than a few are one line that opens."""
    found = sources(citations)
    items = "".join(
        f'<li value="{number}">{_source(citations, it)}</li>' for number, it in found.items()
    )
    if len(found) > FEW:
        line = as_text(texts.text("sources", count=len(found)))
        return f'<details class="sc-sources"><summary>{line}</summary><ol>{items}</ol></details>'
    line = as_text(texts.text("few_sources"))
    return f'<div class="sc-sources"><p>{line}</p><ol>{items}</ol></div>'


def _told(look: Look, *, is_whole: bool) -> str:
    query, found = look.search.query, look.found
    if found and found.failure:
        return texts.text("searched_in_vain", query=query, why=texts.worded(found))
    if found and found.sources:
        return texts.text("searched", query=query, pages=len(found.sources))
    if found:
        return texts.text("nothing_found", query=query)
    if is_whole:
        why = texts.text("search_cut_off")
        return texts.text("searched_in_vain", query=query, why=why)
    return texts.text("searching", query=query)


def _page(page: FoundPage) -> str:
    where = as_text(" · ".join(filter(None, [page.site, page.age])))
    return _titled(page.url, page.title, page.site) + f" <small>{where}</small>"


def _source(citations: Sequence[Citation], first: Citation) -> str:
    if first.kind == "web":
        return (
            _titled(first.url, first.title, first.site) + f" <small>{as_text(first.site)}</small>"
        )
    places = (_place(each) for each in citations if each.number == first.number)
    where = "; ".join(dict.fromkeys(filter(None, places)))
    return f"{as_text(first.title)} <small>{as_text(where)}</small>"


def _titled(url: str, title: str, site: str) -> str:
    words = as_text(title or site or url)
    return _link("sc-page", goes_to(url), words) if goes_to(url) else words


def _link(kind: str, url: str, words: str, about: str = "") -> str:
    told = f' title="{about}"' if about else ""
    safe = 'target="_blank" rel="noopener noreferrer nofollow ugc"'
    return f'<a class="{kind}" href="{as_text(url)}"{told} {safe}>{words}</a>'


def _place(citation: Citation) -> str:
    """The page or the passage of a file; empty for a page of the web."""
    match citation.kind:
        case "web":
            return ""
        case "page":
            return texts.text("cited_pages", first=citation.first, last=citation.last)
        case _ if citation.quote:
            return texts.text("cited_passage", quote=citation.quote[:LONGEST_PASSAGE])
    return ""
