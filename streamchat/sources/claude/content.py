"""Messages in the form of Claude's API."""

from typing import Any

from streamchat.attachments import Attachment
from streamchat.events import Message, well_formed


def content(message: Message, *, cites: bool = False) -> str | list[dict[str, Any]]:
    """The text alone or, with files, blocks with the files before the text. Claude `cites` the
    documents of all messages of a request, or of none.

    See https://platform.claude.com/docs/en/build-with-claude/vision.
    """
    if message.blocks:
        return list(map(dict, message.blocks))
    text = well_formed(message.text)
    if not message.files:
        return text
    words = [{"type": "text", "text": text}] if text.strip() else []
    return [*(_block(file, cites=cites) for file in message.files), *words]


def _block(file: Attachment, *, cites: bool) -> dict[str, Any]:
    if file.is_picture:
        return {"type": "image", "source": _base64(file)}
    if file.media_type == "text/plain":
        data = well_formed(file.data)
        source = {"type": "text", "media_type": file.media_type, "data": data}
    else:
        source = _base64(file)
    citing = {"citations": {"enabled": True}} if cites else {}
    return {"type": "document", "source": source, "title": file.name, **citing}


def _base64(file: Attachment) -> dict[str, Any]:
    return {"type": "base64", "media_type": file.media_type, "data": file.data}
