"""Refusals of files: each sentence names the file, and says what to do."""

from collections.abc import Callable

KINDS = {
    "image/png": "a PNG picture",
    "image/jpeg": "a JPEG picture",
    "image/gif": "a GIF picture",
    "image/webp": "a WebP picture",
    "application/pdf": "a PDF",
    "text/plain": "a text",
}


def file_is_another(name: str, what: str, claimed: str) -> str:
    return f"“{name}” is {KINDS.get(what, what)}, and was sent as {KINDS.get(claimed, claimed)}."


def megabytes(size: int) -> str:
    """A size as in 5 MB or 0.2 MB."""
    return f"{size / 1e6:,.1f}".removesuffix(".0") + " MB"


def file_too_large(name: str, size: int, most: int) -> str:
    return (
        f"“{name}” has {megabytes(size)}; a file may have up to {megabytes(most)} here."
        " Send a smaller one."
    )


def files_too_large(name: str, most: int) -> str:
    return (
        f"With “{name}”, the files of this conversation have more than {megabytes(most)}."
        " Send fewer or smaller files, or start a new chat."
    )


SENTENCES: dict[str, str | Callable[..., str]] = {
    # how many and how large
    "files_off": "This chat takes no files. Send “{name}” as text in your message.",
    "files_of_assistant": "“{name}” is in an answer. Only messages of the user can have files.",
    "files_in_message": "A message may have up to {most} files; “{name}” is one too many.",
    "files_in_conversation": (
        "A conversation may have up to {most} files; “{name}” is one too many. Start a new chat to"
        " send more."
    ),
    "file_too_large": file_too_large,
    "files_too_large": files_too_large,
    "too_many_files": "You have sent too many files in the last hour.",
    # kinds
    "file_media_type": (
        "“{name}” was sent as {media_type}, which Claude does not read. Send a JPEG, PNG, GIF or"
        " WebP picture, a PDF, or text."
    ),
    "file_is_another": file_is_another,
    "file_kind": (
        "“{name}” is a kind of file that Claude does not read. Send a JPEG, PNG, GIF or WebP"
        " picture, a PDF, or text."
    ),
    "file_office": "“{name}” is an Office document. Save it as PDF, and send that.",
    "file_archive": "“{name}” is an archive. Unpack it, and send the files that are in it.",
    "file_picture_kind": (
        "“{name}” is a kind of picture that Claude does not see. Save it as JPEG or PNG, and send"
        " that."
    ),
    "file_sound": "“{name}” is a sound or a film. Claude takes pictures, PDFs and texts.",
    "file_program": "“{name}” is a program. Send its source code, if you have it.",
    # what is in them
    "file_base64": "“{name}” is not whole: its data is not base64.",
    "file_empty": "“{name}” is empty.",
    "file_blank": "“{name}” has no text but blanks.",
    "file_coding": "“{name}” is a text in an old coding. Save it as UTF-8, and send it again.",
    "file_broken": (
        "“{name}” is a picture that is broken or not whole. Open it, save it anew, and send it"
        " again."
    ),
    "file_animated": "“{name}” moves. Claude sees still pictures: send one of its frames as PNG.",
    "file_pixels": (
        "“{name}” has {megapixels} megapixels; a picture may have up to {most} here. Make it"
        " smaller."
    ),
    "file_pixels_unknown": (
        "“{name}” takes too much memory; a picture may have up to {most} megapixels here. Make it"
        " smaller."
    ),
    "file_took_too_long": "“{name}” took too long to read. Save it in a simpler form.",
    "pdf_broken": "“{name}” is a PDF that is broken or not whole. Save it anew, and send it again.",
    "pdf_locked": (
        "“{name}” is protected by a password or against changes. Save it as PDF without protection,"
        " and send that."
    ),
    "pdf_pages": (
        "“{name}” has {pages} pages; a PDF may have up to {most} here. Send the pages that matter."
    ),
    "pdf_pages_of_all": (
        "With “{name}”, the PDFs of this conversation have {pages} pages; they may have up to"
        " {most} here. Send the pages that matter."
    ),
    "pdf_too_long": "“{name}” has more text than Claude reads. Send the pages that matter.",
    # kept for the page
    "unknown_file": "There is no such file here, or it is no longer kept. Add it again.",
    "files_not_kept": "This chat cannot keep files at the moment. Try again later.",
    "not_octets": "Send the file itself, with Content-Type: application/octet-stream.",
    "no_reader": "To send files, let your browser keep cookies of this chat, and load it again.",
    "files_of_summary": "Files of the earlier chat, which are not in this one: {names}.",
    "file_left_out": "“{name}” was left out: {why}",
    "file_not_exported": "“{name}” is not in the file that was imported.",
    "file_gone": "The file “{name}” is no longer kept.",
    # over HTTP
    "no_addresses": (
        "{place}: a source is base64 or text. Send the file itself: this chat takes no addresses"
        " and no file ids."
    ),
}
