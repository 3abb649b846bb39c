"""Photos on the wire: a manifest first, the bytes in chunks afterwards."""

from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.texts import _
from shared.types import WireIn, WireOut

CHUNK: Final = 1 << 20
"""A phone sends at most this many bytes at once."""

LARGEST: Final = 8 << 20

MOST: Final = 6
"""So many photos belong to one visit or request."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Side = Annotated[int, Field(ge=1, le=20_000)]


class PhotoState(StrEnum):
    """How far a photo has come."""

    missing = "missing"
    stored = "stored"
    quarantined = "quarantined"


PHOTO_WORDS = {
    PhotoState.missing: _("还没传完"),
    PhotoState.stored: _("已存好"),
    PhotoState.quarantined: _("打不开，已隔离"),
}


class PhotoIn(WireIn):
    """A photo that will follow: what the phone made of the picture before it sent anything."""

    sha256: Sha256 = Field(description="照片内容的 SHA-256")
    size: Annotated[int, Field(ge=1, le=LARGEST)] = Field(description="字节数")
    width: Side = Field(description="宽（像素）")
    height: Side = Field(description="高（像素）")


class PhotoOut(WireOut):
    """A photo of a visit or a request, and how far it has come."""

    visit_id: UUID | None = Field(default=None, description="走访编号")
    request_id: UUID | None = Field(default=None, description="求助、事件或办件编号")
    sha256: str = Field(description="照片内容的 SHA-256")
    size: int = Field(description="字节数")
    width: int = Field(description="宽（像素）")
    height: int = Field(description="高（像素）")
    state: PhotoState = Field(description="还没传完、已存好、已隔离")


class UploadOut(WireOut):
    """What of a photo is there: the next chunk begins at `received`."""

    sha256: str = Field(description="照片内容的 SHA-256")
    size: int = Field(description="一共多少字节")
    received: int = Field(description="已收到多少字节，从这里接着传")
    state: PhotoState = Field(description="还没传完、已存好、已隔离")
