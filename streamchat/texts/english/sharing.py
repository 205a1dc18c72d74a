"""The sentences on the page of a shared conversation."""

from collections.abc import Callable


def size_in_words(size: int) -> str:
    """A size as in 5 MB, 20 kB or 549 bytes."""
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1e3:,.0f} kB" if size < 1e6 else f"{size / 1e6:,.1f} MB"


def shared_pdf(pages: int, size: int) -> str:
    return f"PDF, {pages} page{'' if pages == 1 else 's'}, {size_in_words(size)}"


def shared_text(size: int) -> str:
    return f"Text, {size_in_words(size)}"


SENTENCES: dict[str, str | Callable[..., str]] = {
    "shared_on": "Shared from {title} on {date}. What was written later is not here.",
    "shared_end": "A shared conversation. An AI wrote the answers, and they can be wrong.",
    "start_own_chat": "Start your own chat",
    "question": "Question",
    "answer": "Answer",
    "shared_pdf": shared_pdf,
    "shared_text": shared_text,
    "files_not_shared": "A file, which a link does not show.",
    "rest_not_shown": "The rest is too long for this page.",
    "nothing_shared_title": "Nothing to read here",
    "nothing_shared": (
        "This link shows no conversation. The person who shared it may have withdrawn it, or its"
        " conversation is no longer kept."
    ),
    "too_long_to_share": (
        "This conversation is too long to share: a link shows up to {most:,} bytes."
    ),
}
