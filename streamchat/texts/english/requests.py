"""Refusals of malformed requests, for people who write programs and set up proxies."""

from collections.abc import Callable

SHAPE = 'Send {"message": "hi"} or {"messages": [{"role": "user", "content": "hi"}]}.'
PAGES = "You have too many pages open. Close some, and try again."


def wrong_shape(place: str, reason: str) -> str:
    return f"{place or 'The body'}: {reason}. {SHAPE}"


SENTENCES: dict[str, str | Callable[..., str]] = {
    # hosts and routes
    "bad_host": "The request has to name one host, in its Host header.",
    "unknown_host": (
        "This chat is not known by the name it was asked for. If the site is yours, add its name to"
        " STREAMCHAT_HOSTS."
    ),
    "foreign_page": (
        "Other sites' pages may not use this chat. If the site is yours, add its name to"
        " STREAMCHAT_HOSTS."
    ),
    "not_found": (
        "There is nothing at this address. If a proxy serves the chat below a path, set"
        " GRADIO_ROOT_PATH to that path."
    ),
    "unknown_page": "There is no such page.",
    "unknown_link": "There is no such link.",
    "method_not_allowed": "This route does not take this method.",
    # logins
    "login_required": "This chat asks for a user and a password.",
    "owner_login_required": "This page asks for the owner's password, and for any user.",
    "wrong_password": "The user or the password is wrong.",
    # bodies
    "encoded_body": "Send the body as it is, without Content-Encoding.",
    "bad_length": "The Content-Length is no number.",
    "too_slow": "The body of the request came too slowly, and the connection is closed.",
    "body_not_json": "Send the body as JSON in UTF-8.",
    "too_many_values": "There are too many values in the body of this request.",
    "no_body_taken": "This request takes no body.",
    "body_too_long": "The body of this request may have up to {most:,} bytes.",
    # visitors who hold too much
    "too_much_at_once": (
        "Too much is on its way from you at once. Try again when the other requests have ended."
    ),
    "too_much_from_all": "Too much is on its way from everybody at once. Try again soon.",
    "too_many_connections": "There are too many connections from your address.",
    "too_many_pages": PAGES,
    "too_many_streams": PAGES,
    "too_many_events": "Too much of yours is waiting. Try again when some of it has ended.",
    "too_many_people": "Too many people are here at once. Try again soon.",
    # calls of Gradio's events
    "not_an_object": "The body has to be a JSON object.",
    "unknown_fields": "The body may have the fields {fields} and no others.",
    "bad_id": "{name} has to be 1 to 64 letters, digits, hyphens or underscores.",
    "bad_tab_id": "An id has to be 1 to 64 letters, digits, hyphens or underscores.",
    "bad_trigger": "trigger_id has to be the number of a component that triggers events.",
    "wrong_values": "data has to be a list of {number} values.",
    "called_in_another_way": "This event is called in another way.",
    "unknown_endpoint": "There is no such endpoint.",
    "unknown_event": "The page has no such event.",
    "takes_no_value": "This event takes no value here.",
    "not_a_text": "The message has to be a text.",
    "not_messages": (
        "A conversation has to be at most {most} messages, each a text by user or assistant."
    ),
    "not_chosen": "event_data has to be the index and the text of a message.",
    "not_an_example": "event_data has to be the index and the text of an example.",
    "not_an_edit": (
        "event_data has to be the index of a message and its text before and after the edit."
    ),
    "no_files": "This chat takes no files.",
    # the HTTP API and the owner's page
    "question_not_json": "Send the question as JSON, with Content-Type: application/json.",
    "invalid_json": "{reason}.",
    "wrong_shape": wrong_shape,
    "one_of_two": lambda: f"The body: either message or messages is needed. {SHAPE}",
    "too_many_fields": lambda: f"There are too many unknown fields. {SHAPE}",
    "bad_idempotency_key": "An Idempotency-Key is one string of 1 to 255 plain characters.",
    "bad_position": "This reply has no such position: so far they go from 0 to {last}.",
    "nothing_to_pause": "Only Claude can be paused, and it does not answer here.",
    "bad_feedback": (
        "Feedback is a JSON object with the conversation, the turn, the thumb (up, down or none),"
        " and words of at most {most} characters."
    ),
    "no_words_taken": "This chat takes no words with a thumb.",
    "not_kept": "This chat cannot keep that at the moment. Try again later.",
    "bad_settings": "Settings are a JSON object of short texts.",
    "not_adjustable": "{name!r} cannot be changed here.",
    "bad_adjustment": "The {what} cannot be {value!r}: {reason}.",
    # saved conversations
    "search_too_long": "A search may have up to {most} characters.",
    "bad_number": "{name} has to be a number.",
    "bad_file": "This is no file of conversations that this chat has exported.",
    "bad_format": "A conversation can be had as md or as json.",
    "bad_version": "Send the number of a version, as version.",
    "unknown_version": "There is no such version any more.",
    "answer_running": "An answer is being written. Stop it, or wait for its end.",
    "bad_title": "A title is a text of 1 to {most} characters.",
}
