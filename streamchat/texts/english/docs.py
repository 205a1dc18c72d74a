"""The words of the page about the HTTP API."""

WORDS = {
    "name": "The HTTP API",
    "to_chat": "Chat",
    "about": "Programs ask on the page's own port. The same as OpenAPI:",
    "parameters": "Parameters",
    "place": "in the {place}",
    "optional_place": "in the {place}, optional",
    "answers": "Answers",
    "try_it": "Try it",
    "body": "Body",
    "accept": "Accept",
    "send": "Send",
    "waiting": "Waiting for the answer.",
    "no_list": "The routes cannot be listed: {reason}",
}
