"""A key to Claude as people paste it: with spaces, line breaks and quotation marks around it."""


def clean(key: str) -> str:
    """The key by itself; raises `ValueError` for what cannot be one."""
    key = "".join(key.split()).strip("\"'")
    if not key.isascii() or not key.isprintable():
        raise ValueError("a key consists of plain ASCII characters; copy it anew from the Claude Console")
    return key
