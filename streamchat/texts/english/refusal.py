"""The words of the page that a browser gets where something is refused."""

WORDS = {
    "not_found": "Nothing is here",
    "refused": "This did not work",
    "open_chat": "Open the chat",
}
