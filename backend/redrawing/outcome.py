"""What a plan comes to as things stand: who goes where, and whom a person must place."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

import asyncpg

from backend.core.handover import beyond_scope
from backend.core.transaction import Transaction
from backend.grid import boundaries, checking
from backend.grid import queries as grid
from backend.grid.locate import CountyGrid
from backend.redrawing import queries, rules
from backend.redrawing.rules import Ground, Placement
from shared.grid import CellKind, CellOut, CellShape, GridFinding, GridReport, PlanOut, Undecided

Row: TypeAlias = asyncpg.Record


@dataclass(frozen=True)
class Outcome:
    """Households, requests and empty doors of a community with where each goes, and what is wrong with the new
    boundaries."""

    plan: PlanOut
    present: dict[str, CellOut]
    findings: list[GridFinding]
    homes: list[tuple[Row, Placement]]
    requests: list[tuple[Row, str]]
    doors: list[tuple[Row, str]]

    def going(self) -> dict[tuple[str, str], list[Row]]:
        """Households that move, by the areas they leave and reach."""
        return _leaving((row, self.area_of(row, placement)) for row, placement in self.homes)

    def requests_going(self) -> dict[tuple[str, str], list[Row]]:
        return _leaving(self.requests)

    def doors_going(self) -> dict[tuple[str, str], list[Row]]:
        """Doors that nobody lives behind; the others go with their households."""
        return _leaving(self.doors)

    def area_of(self, row: Row, placement: Placement) -> str:
        return rules.settled(placement, self.decided.get(row["id"]), self.plan.closed, self.plan.community_code)

    @property
    def decided(self) -> Mapping[UUID, str]:
        return {one.household_id: one.cell_code for one in self.plan.decisions}

    def undecided(self) -> list[Undecided]:
        """Households that the map cannot place; those whose cell is closed must be decided."""
        decided = self.decided
        return [
            Undecided(
                household_id=row["id"], head_name=row["head_name"], door=door(row), cell_code=row["area_code"],
                why=placement.why, must=row["area_code"] in self.plan.closed, decided=decided.get(row["id"]),
            )
            for row, placement in self.homes
            if placement.why is not None
        ]  # fmt: skip

    @property
    def waiting(self) -> bool:
        """Whether a household that must be decided is not."""
        return any(one.must and one.decided is None for one in self.undecided())

    @property
    def faulty(self) -> list[GridFinding]:
        return [one for one in self.findings if one.blocks]


def _leaving(placed: Iterable[tuple[Row, str]]) -> dict[tuple[str, str], list[Row]]:
    pairs: dict[tuple[str, str], list[Row]] = {}
    for row, to in placed:
        if to != row["area_code"]:
            pairs.setdefault((row["area_code"], to), []).append(row)
    return pairs


def door(row: Row) -> str:
    return "".join(row[part] for part in ("compound", "building", "unit", "room"))


def shape_of(cell: CellOut) -> CellShape:
    return CellShape.model_validate(cell.model_dump(include=set(CellShape.model_fields) - {"from_day"}))


def after(plan: PlanOut, present: Mapping[str, CellOut]) -> list[CellShape]:
    """Return the cells of the community as the plan leaves them."""
    new = {cell.code: cell for cell in plan.cells}
    kept = {code: shape_of(cell) for code, cell in present.items() if code not in plan.closed}
    return list({**kept, **new}.values())


async def work_out(
    tx: Transaction, plan: PlanOut, *, lock: bool = False, before: Mapping[str, CellOut] | None = None
) -> Outcome:
    """Find out what a plan comes to, in the present role; with locked rows it stays so until the end.

    `before` are the cells as they were, when the plan's are drawn already.
    """
    present = dict(before if before is not None else await grid.present_cells(tx.conn, tx.county, plan.community_code))
    report = await look(tx, plan.community_code, after(plan, present), present)
    rows = await queries.homes(tx.conn, tx.county, plan.community_code, lock=lock)
    asked = await queries.requests(tx.conn, tx.county, plan.community_code, lock=lock)
    doors = await queries.empty_doors(tx.conn, tx.county, plan.community_code, lock=lock)
    if any(one.blocks for one in report.findings):
        return Outcome(plan, present, report.findings, [], [], [])
    touched = {cell.code for cell in plan.cells} | set(plan.closed)
    ground = _ground(plan, present, [*rows, *asked, *doors])
    homes = [(row, rules.place(row["area_code"], ground.get(row["id"]), touched)) for row in rows]
    empty = [(row, _with_ground(plan, row, ground, touched)) for row in doors]
    found = Outcome(plan, present, report.findings, homes, [], empty)
    return replace(found, requests=_requests(found, asked, ground, touched))


def _ground(plan: PlanOut, present: Mapping[str, CellOut], rows: Collection[Row]) -> dict[UUID, Ground]:
    """Return on which ground everything with a position stands, by both maps."""
    placed = {row["id"]: (row["lon"], row["lat"]) for row in rows if row["lon"] is not None}
    if not placed:
        return {}
    old, new = _map([shape_of(cell) for cell in present.values()]), _map(after(plan, present))
    points = list(set(placed.values()))
    before, then = old.find_many(points), new.find_many(points)
    return {
        one: Ground(*(at[point].code if point in at else None for at in (before, then)))
        for one, point in placed.items()
    }


def _map(cells: Collection[CellShape]) -> CountyGrid:
    basic = [cell for cell in cells if cell.kind is CellKind.basic]
    return CountyGrid(None, [(cell.code, cell.name, boundaries.as_text(cell.geometry)) for cell in basic])


def _with_ground(plan: PlanOut, row: Row, ground: Mapping[UUID, Ground], touched: Collection[str]) -> str:
    """Say where something goes that nobody decides about."""
    placement = rules.place(row["area_code"], ground.get(row["id"]), touched)
    return rules.settled(placement, None, plan.closed, plan.community_code)


def _requests(
    found: Outcome, asked: Collection[Row], ground: Mapping[UUID, Ground], touched: Collection[str]
) -> list[tuple[Row, str]]:
    """A request goes with its household; one about a place goes with the ground."""
    went = {row["id"]: (row["area_code"], found.area_of(row, placement)) for row, placement in found.homes}
    placed = []
    for row in asked:
        left, to = went.get(row["household_id"], ("", ""))
        if left != row["area_code"]:
            to = _with_ground(found.plan, row, ground, touched)
        placed.append((row, to))
    return placed


async def look(
    tx: Transaction, community: str, cells: list[CellShape], present: Mapping[str, CellOut],
    outline: dict[str, object] | None = None,
) -> GridReport:  # fmt: skip
    """Look at all cells that a community shall have, beside those that it has and those of the other communities."""
    async with beyond_scope(tx, "grid.read", "county", UUID(int=0), tx.county):
        others = await grid.basic_cells(tx.conn, tx.county, tx.county)
    neighbours = [(code, geojson) for code, _, geojson in others if code[:12] != community]
    border = boundaries.read(outline) if outline else None
    before = [boundaries.as_text(cell.geometry) for cell in present.values() if cell.kind is CellKind.basic]
    report = checking.report(tx.county, community, cells, neighbours, border, before)
    for code in sorted(await grid.closed_cells(tx.conn, tx.county, [cell.code for cell in cells])):
        report.findings.append(checking.closed(code))
        report.sound = False
    return report
