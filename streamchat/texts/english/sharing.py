"""The sentences on the page of a shared conversation."""

SENTENCES = {
    "shared_on": "Shared from {title} on {date}. What was written later is not here.",
    "shared_end": "A shared conversation. An AI wrote the answers, and they can be wrong.",
    "start_own_chat": "Start your own chat",
    "question": "Question",
    "answer": "Answer",
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
