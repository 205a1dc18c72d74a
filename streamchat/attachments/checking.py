"""Checks files one after another, by their content."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import replace

from streamchat.attachments import pdf, pictures, plain
from streamchat.attachments.attachment import PDF, PLAIN, Attachment, Upload, digest_of
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.kinds import FileKind, kind_of
from streamchat.errors import FileRefused

# what Claude takes; any text is one of the last kind
TAKEN = (*pictures.FORMATS, PDF, PLAIN)


def checked(uploads: Iterable[Upload], bounds: Bounds) -> list[Attachment]:
    """The files in Claude's form. Raises `FileRefused`, with the name, for the first one that is
    refused."""
    attachments = []
    for upload in uploads:
        try:
            attachment = _checked(upload, bounds)
        except FileRefused as refusal:
            refusal.of(upload.name)
            raise
        attachments.append(replace(attachment, digest=digest_of(attachment)))
    pages = sum(each.pages for each in attachments)
    if pages > bounds.pages:
        last = next(each for each in reversed(attachments) if each.pages)
        raise FileRefused("pdf_pages_of_all", pages=pages, most=bounds.pages).of(last.name)
    return attachments


def _checked(upload: Upload, bounds: Bounds) -> Attachment:
    if upload.media_type and upload.media_type not in TAKEN:
        raise FileRefused("file_media_type", media_type=upload.media_type[:60])
    if upload.form == "text":
        plain.checked(upload.data)
        return plain.attached(upload, upload.data)
    data = _decoded(upload.data)
    kind = kind_of(data)
    if kind.refusal:
        raise FileRefused(kind.refusal)
    if kind.family == "text":
        # what is no text is not told that it is one
        text = plain.text_of(data)
        _as_claimed(upload, kind)
        return plain.attached(upload, text)
    _as_claimed(upload, kind)
    if kind.family == "pdf":
        return pdf.pdf(upload, data, bounds)
    return pictures.picture(upload, data, kind.media_type, bounds)


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FileRefused("file_base64") from None
    if not data:
        raise FileRefused("file_empty")
    return data


def _as_claimed(upload: Upload, kind: FileKind) -> None:
    if upload.media_type not in ("", kind.media_type):
        raise FileRefused("file_is_another", what=kind.media_type, claimed=upload.media_type)
