"""Notes about a reply beside its text."""

from collections.abc import Callable

from streamchat.texts.english.failures import SENTENCES as FAILURES


def retrying(error: str, seconds: int, attempt: int, attempts: int) -> str:
    return f"{FAILURES[error]} Trying again in {seconds} s ({attempt} of {attempts})."


def interrupted(error: str) -> str:
    return (
        f"The answer was interrupted in the middle: {FAILURES[error]} Claude is asked to go on from"
        " there."
    )


def demo_instead(error: str) -> str:
    return f"{FAILURES[error]} Until then the demo answers."


SENTENCES: dict[str, str | Callable[..., str]] = {
    # of an earlier release, which stored sentences
    "as_written": "{text}",
    "claude_paused": "Claude paused, and is asked to go on.",
    "retrying": retrying,
    "interrupted": interrupted,
    "demo_instead": demo_instead,
    "too_many_searches": "Claude may not search any more for this answer.",
    "query_too_long": "The search failed: its words were too many.",
    "query_rejected": "The search failed: Claude asked for it in a wrong form.",
    "searches_too_frequent": "The search failed: there are too many searches at the moment.",
    "search_unavailable": "The search failed: web search is not available at the moment.",
    "search_cut_off": "The answer ended before this search had its results.",
    "search_left_out": "Claude cannot search the web here, and answers without.",
    "search_too_dear": (
        "There is too little money left today to search the web, so Claude answers without."
    ),
    "demo_busy": "The demo is busy, trying again in {seconds} s ({attempt} of {attempts}).",
    "preview": "Ask Claude, and read the answer as it is written.",
    "no_words": "Claude ended its answer without a word. Ask again, or ask in another way.",
    "try_again": "Try again in {time}.",
}
UNKNOWN = "A later release of this chat left a note here that this one cannot read."
