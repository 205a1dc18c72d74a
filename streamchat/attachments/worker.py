"""A process that checks one message's files and ends, so that no file is opened in the process with
the key.

The JSON of `answered` comes from standard input and goes to standard output.
"""

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from streamchat.attachments.attachment import Upload
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.checking import checked
from streamchat.errors import FileRefused

MEMORY = 1_500_000_000  # bytes
SECONDS = 10  # of the processor


def main() -> None:
    _bound()
    sys.stdout.buffer.write(answered(sys.stdin.buffer.read()))


def answered(asked: bytes) -> bytes:
    """The JSON answer to a JSON request with a message's uploads and bounds."""
    given = json.loads(asked)
    uploads = [Upload(**upload) for upload in given["uploads"]]
    return json.dumps(_answer(uploads, Bounds(**given["bounds"]))).encode()


def _answer(uploads: list[Upload], bounds: Bounds) -> dict[str, Any]:
    try:
        attachments = checked(uploads, bounds)
    except FileRefused as refusal:
        return {"refused": refusal.code, "values": refusal.values}
    files = []
    for upload, attachment in zip(uploads, attachments, strict=True):
        # the caller has unchanged data already
        same = {"data": None} if attachment.data is upload.data else {}
        files.append(asdict(attachment) | same)
    return {"files": files}


def _bound() -> None:
    """Limits the process's memory and time, and gives others precedence."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 (Windows has none)

        os.nice(10)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main()
