"""All cells of a community looked at together: what is wrong, where, and how much ground it is about."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import orjson
import shapely
import shapely.geometry

from backend.core.errors import Refusal
from backend.grid import boundaries
from backend.grid.boundaries import Boundary
from shared.grid import CellKind, CellShape, Fault, GridFinding, GridReport
from shared.texts import _

_SLIT_DEG = 0.00002
"""About 2 m: a gap between two cells that is open to one side is found when it is narrower than twice this."""

Shapes = Mapping[str, Boundary]


def read_all(cells: Sequence[CellShape]) -> tuple[dict[str, Boundary], list[GridFinding]]:
    """Read every boundary; those that are none are found and left out."""
    shapes: dict[str, Boundary] = {}
    findings = []
    for cell in cells:
        try:
            shapes[cell.code] = boundaries.read(cell.geometry)
        except Refusal as no:
            findings.append(_finding(Fault.bad_shape, [cell.code], None, no.detail or _("图形无效。")))
    return shapes, findings


def report(
    county: str, community: str, cells: Sequence[CellShape], neighbours: Sequence[tuple[str, str]],
    outline: Boundary | None = None, before: Sequence[str] = (),
) -> GridReport:  # fmt: skip
    """Look at all cells that a community shall have. `neighbours` are basic cells of other communities and `before`
    those that this one has now, as GeoJSON."""
    shapes, findings = read_all(cells)
    basic = {cell.code: shapes[cell.code] for cell in cells if cell.kind is CellKind.basic and cell.code in shapes}
    findings += _wrong_codes(community, cells)
    findings += _outside_county(county, shapes)
    findings += _overlaps(basic)
    findings += _outside_community(basic, neighbours, outline)
    findings += _gaps(basic, [geojson for _, geojson in neighbours], outline, before)
    return GridReport(sound=not any(one.blocks for one in findings), findings=findings)


def _wrong_codes(community: str, cells: Sequence[CellShape]) -> Iterator[GridFinding]:
    codes = [cell.code for cell in cells]
    for code in dict.fromkeys(codes):
        if code[:12] != community:
            yield _finding(Fault.wrong_code, [code], None, _("网格 {code} 不是这个社区的编码。").format(code=code))
        if codes.count(code) > 1:
            yield _finding(
                Fault.twice,
                [code],
                None,
                _("网格 {code} 出现了 {times} 次。").format(code=code, times=codes.count(code)),
            )


def _outside_county(county: str, shapes: Shapes) -> Iterator[GridFinding]:
    border = boundaries.outline(county)
    for code, one in shapes.items():
        if border is not None and not shapely.covers(border, one.shape):
            outside = shapely.difference(one.shape, border)
            yield _finding(Fault.outside_county, [code], outside, _("网格 {code} 有一部分不在本县").format(code=code))


def _overlaps(basic: Shapes) -> Iterator[GridFinding]:
    for (code, one), (other, two) in combinations(sorted(basic.items()), 2):
        if (common := _common(one.shape, two.shape)) is not None:
            yield _finding(
                Fault.overlap, [code, other], common, _("网格 {code} 和 {other} 重叠了").format(code=code, other=other)
            )


def _common(one: Any, two: Any) -> Any | None:
    if not shapely.intersects(one, two):
        return None
    common = shapely.intersection(one, two)
    return common if boundaries.area_m2(common) > boundaries.SLIVER_M2 else None


def _outside_community(
    basic: Shapes, neighbours: Sequence[tuple[str, str]], outline: Boundary | None
) -> Iterator[GridFinding]:
    """What another community already has lies outside this one; so does what its outline leaves out, where known."""
    there = [(code, shapely.from_geojson(geojson)) for code, geojson in neighbours]
    for code, one in basic.items():
        for other, shape in there:
            if (common := _common(one.shape, shape)) is not None:
                yield _finding(
                    Fault.outside_community,
                    [code, other],
                    common,
                    _("网格 {code} 占了别的社区的网格 {other}").format(code=code, other=other),
                )
        if outline is not None:
            beyond = shapely.difference(one.shape, outline.shape)
            if boundaries.area_m2(beyond) > boundaries.SLIVER_M2:
                yield _finding(
                    Fault.outside_community, [code], beyond, _("网格 {code} 超出了社区边界").format(code=code)
                )


def _gaps(
    basic: Shapes, neighbours: Sequence[str], outline: Boundary | None, before: Sequence[str]
) -> Iterator[GridFinding]:
    """Ground between cells, inside the outline or of a cell before, that nobody has. It may be meant so, and never
    blocks."""
    if not basic:
        return
    taken = shapely.union_all([one.shape for one in basic.values()])
    had = shapely.union_all(shapely.from_geojson(list(before)))
    whole = outline.shape if outline else shapely.union(_closed(taken), had)
    left = shapely.difference(whole, taken)
    if neighbours:
        left = shapely.difference(left, shapely.union_all(shapely.from_geojson(list(neighbours))))
    for part in shapely.get_parts(left):
        beside = [code for code, one in sorted(basic.items()) if shapely.dwithin(part, one.shape, _SLIT_DEG)]
        counts = outline or len(beside) > 1 or _common(part, had) is not None
        if boundaries.area_m2(part) > boundaries.SLIVER_M2 and counts:
            yield _finding(Fault.gap, beside, part, _gap_words(beside))


def _gap_words(beside: Sequence[str]) -> str:
    if len(beside) > 1:
        return _("{cells} 之间有空白").format(cells=_("、").join(beside))
    if beside:
        return _("网格 {code} 旁边有一块不属于任何网格").format(code=beside[0])
    return _("社区里有一块不属于任何网格")


def _closed(taken: Any) -> Any:
    """Return the ground with its holes filled and narrow slits closed."""
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(taken)])
    swollen = shapely.buffer(filled, _SLIT_DEG, join_style="mitre")
    shut = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(swollen)])
    return shapely.union(filled, shapely.buffer(shut, -_SLIT_DEG, join_style="mitre"))


def closed(code: str) -> GridFinding:
    return _finding(Fault.wrong_code, [code], None, _("网格 {code} 已经撤销，编码不能再用。").format(code=code))


def _finding(fault: Fault, codes: list[str], shape: Any, words: str) -> GridFinding:
    area = None if shape is None else round(boundaries.area_m2(shape))
    return GridFinding(
        fault=fault, cells=codes, area_m2=area, blocks=fault is not Fault.gap,
        geometry=None if shape is None else orjson.loads(shapely.to_geojson(shape)),
        sentence=words if area is None else _("{words} {area} 平方米。").format(words=words, area=area),
    )  # fmt: skip
