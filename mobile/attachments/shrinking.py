"""From what a camera makes to what is worth sending: upright, small, and without what was written into the file."""

import hashlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from mobile.store.photos import Photo
from shared.texts import _

LONG_SIDE = 1600
SMALL_SIDE = 240
QUALITY = 82
MOST_PIXELS = 120_000_000
"""The largest cameras of phones have 108 million; a JPEG of them is decoded at an eighth of its sides."""

FORMATS = ("JPEG", "PNG", "WEBP")


class NotAPicture(Exception):
    """What came from the camera cannot be shown."""

    sentence = _("这张照片打不开，请再拍一张")


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A picture to keep, and a small one for the screen."""

    photo: Photo
    content: bytes
    small: bytes


def shrink(picture: bytes) -> Shrunk:
    """Make a picture small and plain. Slow: call it away from the screen's thread."""
    image = _decoded(picture)
    image.thumbnail((LONG_SIDE, LONG_SIDE))
    content = _jpeg(image)
    image.thumbnail((SMALL_SIDE, SMALL_SIDE))
    photo = Photo(hashlib.sha256(content).hexdigest(), len(content), *_size_of(content))
    return Shrunk(photo, content, _jpeg(image))


def _decoded(picture: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(picture), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise NotAPicture
            opened.draft("RGB", (LONG_SIDE, LONG_SIDE))
            return ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise NotAPicture from error


def _jpeg(image: Image.Image) -> bytes:
    # Place, time, camera and comments would be written out again.
    image.info.clear()
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def _size_of(content: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(content)) as opened:
        return opened.size
