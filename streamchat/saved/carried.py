"""The files in an export: each stands once, behind the conversations, which name it by its id."""

from collections.abc import Iterator
from typing import Any, Literal

from streamchat.attachments import Attachment, Upload, shown
from streamchat.events import Message
from streamchat.ui import DIGEST, MAX_FILES
from streamchat.web.problem import Unfit

Fields = dict[str, Any]
Form = Literal["base64", "text"]

PLAIN = "text/plain"


def named(message: Message) -> Fields:
    """The ids and names of a message's files, if it has any."""
    files = [{"id": file.digest, "name": file.name} for file in message.files]
    return {"files": files} if files else {}


def seen(message: Message) -> Fields:
    """The files of a message for those who have a link. It opens pictures, which have an id."""
    files = list(map(_seen, message.files))
    return {"files": files} if files else {}


def _seen(file: Attachment) -> Fields:
    told = {"name": file.name, "kind": file.kind, "size": file.size, "pages": file.pages}
    return told | ({"id": file.digest} if file.is_picture else {})


def ids(conversation: Fields) -> Iterator[str]:
    """The ids of all files of an exported conversation."""
    hidden = (turn["messages"] for turn in conversation.get("versions", ()))
    for messages in (conversation["messages"], *hidden):
        for message in messages:
            yield from (file["id"] for file in message.get("files", ()))


def entry(file: Attachment) -> Fields:
    """A file with its data: base64, or the characters of a text."""
    return {"name": file.name, "media_type": file.media_type, "data": file.data}


def awaited(given: Any) -> tuple[Attachment, ...]:
    """The files that a message of an export names, which are not checked yet. Those of earlier
    releases, which have no ids, are left out. Raises `Unfit`."""
    if not isinstance(given, list) or len(given) > MAX_FILES:
        raise Unfit(422, "bad_file")
    return tuple(map(_awaited, (each for each in given if not isinstance(each, str))))


def _awaited(given: Any) -> Attachment:
    match given:
        case {"id": str(id_), "name": str(name)} if DIGEST.fullmatch(id_):
            return Attachment(shown(name, "File"), "", "", 0, 0, digest=id_)
    raise Unfit(422, "bad_file")


def uploads(file: Fields) -> dict[str, Upload]:
    """The files of an export by their ids, to be checked. Raises `Unfit`."""
    given = file.get("files", {})
    if not isinstance(given, dict):
        raise Unfit(422, "bad_file")
    return {id_: _upload(each) for id_, each in given.items()}


def _upload(given: Any) -> Upload:
    match given:
        case {"name": str(name), "media_type": str(media_type), "data": str(data)}:
            form: Form = "text" if media_type == PLAIN else "base64"
            return Upload(shown(name, "File"), data, media_type[:100], form)
    raise Unfit(422, "bad_file")
