"""Pictures: bounded before they are decoded, turned upright, without metadata, and no larger than
the model sees them."""

import io
import math
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from PIL import Image, ImageOps

from streamchat.attachments.attachment import Attachment, Upload
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.colours import colours_of
from streamchat.attachments.jpeg import is_bare
from streamchat.errors import FileRefused

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
# what the models see of a picture: https://platform.claude.com/docs/en/build-with-claude/vision
LONGEST_SIDE = 2_576  # pixels
PATCH = 28  # pixels of a side of the square that is a token
MOST_TOKENS = 4_784
# a larger picture becomes a JPEG
LARGE_PNG = 2_000_000  # bytes
QUALITY = 90
WHITE = (255, 255, 255)


def tokens(width: int, height: int) -> int:
    """The tokens that Claude counts for a picture of this size in pixels."""
    return math.ceil(width / PATCH) * math.ceil(height / PATCH)


def fitting(width: int, height: int) -> tuple[int, int]:
    """The picture's size, scaled down to what the models see."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    while tokens(*(fitted := _scaled(width, height, scale))) > MOST_TOKENS:
        scale *= 0.99
    return fitted


def picture(upload: Upload, data: bytes, media_type: str, bounds: Bounds) -> Attachment:
    """The picture in Claude's form. Raises `FileRefused`."""
    with _decoding(bounds), Image.open(io.BytesIO(data), formats=[FORMATS[media_type]]) as image:
        width, height = image.size
        if width * height > bounds.pixels:
            raise _too_many(bounds, width * height)
        # a JPEG with several pictures, as some phones make it, shows the first one
        if getattr(image, "is_animated", False) and image.format != "MPO":
            raise FileRefused("file_animated")
        tables = getattr(image, "quantization", None)
        still = _upright(image)
    if _is_ours(data, tables, still.size == (width, height)):
        kind, encoded = media_type, data
    else:
        kind, encoded = _encoded(still, is_photo=media_type == "image/jpeg")
    return Attachment(
        upload.name,
        kind,
        b64encode(encoded).decode(),
        tokens(*still.size),
        len(data),
        width=still.width,
        height=still.height,
        colours=colours_of(still),
    )


def _is_ours(data: bytes, tables: object, fits: bool) -> bool:
    """Whether the file is a JPEG as `_encoded` makes it."""
    return fits and tables in _own_tables() and is_bare(data)


@cache
def _own_tables() -> list[object]:
    """The quantization of `QUALITY`, in grey and in colour."""
    made = (_saved(Image.new(mode, (8, 8)), "JPEG", quality=QUALITY) for mode in ("L", "RGB"))
    return [getattr(Image.open(io.BytesIO(data)), "quantization", None) for data in made]


@contextmanager
def _decoding(bounds: Bounds) -> Iterator[None]:
    """Refuses pictures that Pillow cannot read, whatever exception it raises."""
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    except MemoryError:
        raise _too_many(bounds, 0) from None
    except FileRefused:
        raise
    except Exception:  # noqa: BLE001 (a broken file raises nearly anything)
        raise FileRefused("file_broken") from None


def _too_many(bounds: Bounds, pixels: int) -> FileRefused:
    return FileRefused(
        "file_pixels" if pixels else "file_pixels_unknown",
        megapixels=math.ceil(pixels / 1e6),
        most=bounds.pixels // 1_000_000,
    )


def _upright(image: Image.Image) -> Image.Image:
    size = fitting(*image.size)
    # a JPEG is decoded at a part of its size where that is enough
    image.draft("RGB", size)
    seen = _plain(image)
    seen.thumbnail(size, reducing_gap=2)
    # the orientation is read before the notes are dropped
    turned = ImageOps.exif_transpose(seen)
    bare = Image.new(turned.mode, turned.size)
    bare.paste(turned)
    return bare


def _plain(image: Image.Image) -> Image.Image:
    """The picture in one of three colour modes that every format here supports."""
    image.load()
    exif = image.getexif()
    if image.mode.startswith("I"):
        # grey in 16 bits
        plain = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    elif image.has_transparency_data:
        plain = image.convert("RGBA")
    else:
        plain = image.convert("L" if image.mode in ("1", "L") else "RGB")
    plain.info = {"exif": exif.tobytes()} if exif else {}
    return plain


def _encoded(image: Image.Image, *, is_photo: bool) -> tuple[str, bytes]:
    """The media type and the file. Equal pictures give equal bytes, for Claude's cache."""
    if not is_photo:
        png = _saved(image, "PNG", compress_level=6)
        if len(png) <= LARGE_PNG:
            return "image/png", png
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, WHITE)
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    return "image/jpeg", _saved(image, "JPEG", quality=QUALITY)


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _scaled(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, int(width * scale)), max(1, int(height * scale))
