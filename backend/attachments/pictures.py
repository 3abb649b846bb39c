"""A photo made anew from its pixels: whatever else the file held (place, camera, hidden bytes) is gone."""

from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

MOST_PIXELS: Final = 50_000_000
LONG_SIDE: Final = 1600
THUMBNAIL_SIDE: Final = 320
FORMATS: Final = ("JPEG", "PNG", "WEBP")


class BadPicture(Exception):
    """Not a picture that can be shown; the text says why, for the log."""


class Remade(NamedTuple):
    """A picture and its small one, both JPEG, and how large the picture is."""

    picture: bytes
    thumbnail: bytes
    width: int
    height: int


def remake(content: bytes) -> Remade:
    """Decode a picture and encode it anew. The pixels are counted before any is decoded."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise BadPicture("too many pixels")
            opened.draft("RGB", (LONG_SIDE, LONG_SIDE))
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise BadPicture(type(error).__name__) from error
    picture = _small(image, LONG_SIDE)
    return Remade(_jpeg(picture), _jpeg(_small(image, THUMBNAIL_SIDE)), picture.width, picture.height)


def _small(image: Image.Image, side: int) -> Image.Image:
    small = image.copy()
    small.thumbnail((side, side))
    return small


def _jpeg(small: Image.Image) -> bytes:
    small.info.clear()  # a comment would be written out again
    out = BytesIO()
    small.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()
