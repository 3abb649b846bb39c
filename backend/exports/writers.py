"""The file formats of an export, each written piece by piece. A file cut short can be told from a whole one."""

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import orjson
from pydantic import BaseModel

from backend.exports.shapes import Move, outward
from backend.exports.sources import Geometry, Source
from backend.exports.words import columns, harmless, table_rows
from shared.texts import _

PIECE = 1 << 18
SHEET_ROWS = 1_048_000
"""Rows of one sheet, a little under what a spreadsheet takes; the next ones go to another sheet."""


class Form(StrEnum):
    """File formats."""

    csv = "csv"
    xlsx = "xlsx"
    geojson = "geojson"
    ndjson = "ndjson"


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands in a file beside its rows."""

    source: Source
    area: str
    made_at: str
    crs: str
    move: Move | None


class Writer(Protocol):
    """Writes one file. `cut` is called last, whatever happened, and leaves nothing behind."""

    def begin(self) -> bytes: ...
    def rows(self, items: Sequence[BaseModel], places: Sequence[Geometry]) -> bytes: ...
    def end(self, count: int) -> Iterator[bytes]: ...
    def cut(self) -> None: ...


class Ndjson:
    """A row a line; the last line says that it is the last and how many there were."""

    media_type = "application/x-ndjson"

    def __init__(self, heading: Heading) -> None:
        pass

    def begin(self) -> bytes:
        return b""

    def rows(self, items: Sequence[BaseModel], places: Sequence[Geometry]) -> bytes:
        return b"".join(item.model_dump_json().encode() + b"\n" for item in items)

    def end(self, count: int) -> Iterator[bytes]:
        yield orjson.dumps({"end": True, "count": count}) + b"\n"

    def cut(self) -> None:
        pass


class Csv:
    """UTF-8 with the mark that spreadsheets need to read Chinese; the last line says how many rows there were."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, heading: Heading) -> None:
        self._columns = columns(heading.source.model)

    def begin(self) -> bytes:
        return b"\xef\xbb\xbf" + self._lines([list(self._columns.values())])

    def rows(self, items: Sequence[BaseModel], places: Sequence[Geometry]) -> bytes:
        return self._lines(table_rows(items, list(self._columns)))

    def end(self, count: int) -> Iterator[bytes]:
        yield self._lines([[last_words(count)]])

    def cut(self) -> None:
        pass

    def _lines(self, rows: Any) -> bytes:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        return text.getvalue().encode()


class Xlsx:
    """A workbook, kept on disk until it is whole; a second sheet says what it is and how many rows there are."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def __init__(self, heading: Heading) -> None:
        from openpyxl import Workbook  # half a second and many megabytes, for who exports a workbook only

        self._heading = heading
        self._columns = columns(heading.source.model)
        self._book = Workbook(write_only=True)
        self._room = 0

    def begin(self) -> bytes:
        return b""

    def rows(self, items: Sequence[BaseModel], places: Sequence[Geometry]) -> bytes:
        for row in table_rows(items, list(self._columns)):
            self._sheet().append(row)
            self._room -= 1
        return b""

    def _sheet(self) -> Any:
        if not self._room:
            number = len(self._book.worksheets) + 1
            sheet = self._book.create_sheet(self._heading.source.title + (f" {number}" if number > 1 else ""))
            sheet.append(list(self._columns.values()))
            self._room = SHEET_ROWS
        return self._book.worksheets[-1]

    def end(self, count: int) -> Iterator[bytes]:
        if not count:
            self._sheet()  # with its headers, although nothing follows them
        notes = self._book.create_sheet(_("说明"))
        for line in (
            (_("内容"), self._heading.source.title), (_("区域"), self._heading.area), (_("条数"), count),
            (_("导出时间（北京时间）"), self._heading.made_at), (_("坐标系"), "WGS-84"),
        ):  # fmt: skip
            notes.append([harmless(one) if isinstance(one, str) else one for one in line])
        with tempfile.TemporaryFile() as file:
            self._book.save(file)
            file.seek(0)
            yield from iter(lambda: file.read(PIECE), b"")

    def cut(self) -> None:
        """Remove the parts of a workbook that was not finished: they hold people's names."""
        for sheet in self._book.worksheets:
            if sheet._writer is not None and not sheet.closed:
                sheet.close()
                sheet._writer.cleanup()


class GeoJson:
    """A feature collection (RFC 7946); without its end it is no JSON."""

    media_type = "application/geo+json"

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        self._begun = False

    def begin(self) -> bytes:
        named = {"type": "FeatureCollection", "coordinate_system": self._heading.crs}
        return orjson.dumps(named)[:-1] + b',"features":['

    def rows(self, items: Sequence[BaseModel], places: Sequence[Geometry]) -> bytes:
        features = b",\n".join(map(self._feature, items, places))
        separator = b",\n" if self._begun and features else b""
        self._begun = self._begun or bool(features)
        return separator + features

    def _feature(self, item: BaseModel, place: Geometry) -> bytes:
        # Without the stored position: beside a moved geometry it would be in another system.
        facts = item.model_dump(mode="json", exclude={"lon", "lat", "geometry"})
        return orjson.dumps(
            {
                "type": "Feature", "id": facts["id"], "geometry": outward(place, self._heading.move),
                "properties": facts | {"coordinate_system": self._heading.crs},
            }
        )  # fmt: skip

    def end(self, count: int) -> Iterator[bytes]:
        yield b'],"count":%d,"complete":true}\n' % count

    def cut(self) -> None:
        pass


WRITERS: dict[Form, type[Ndjson] | type[Csv] | type[Xlsx] | type[GeoJson]] = {
    Form.csv: Csv, Form.xlsx: Xlsx, Form.geojson: GeoJson, Form.ndjson: Ndjson,
}  # fmt: skip


def last_words(count: int) -> str:
    return _("共 {count} 条，到此为止").format(count=count)
