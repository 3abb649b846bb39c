"""New boundaries for a community: checked, shown, decided, applied."""

from datetime import timedelta
from uuid import uuid4

import pytest

from backend.core.clock import county_day
from backend.redrawing.applying import apply_due
from backend.visits import queries as visit_queries
from backend.visits import service as visits
from shared.auth import Role
from shared.grid import CellKind
from shared.types import Crs, Position, uuid7
from shared.visits import VisitIn
from tests.factories import (
    CELL,
    COMMUNITY,
    COUNTY,
    NEIGHBOUR,
    OTHER_COMMUNITY,
    PLOT,
    corner_of,
    middle_of,
    plot_of,
    visit_to,
)

NEW = COMMUNITY + "005"


@pytest.fixture
def today(make):
    return county_day(make.database.clock())


def box(west, south, east, north):
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def halves(code=CELL):
    """The western and the eastern half of a test cell."""
    west, south = corner_of(code)
    middle, east, north = round(west + PLOT / 2, 6), round(west + PLOT, 6), round(south + PLOT, 6)
    return box(west, south, middle, north), box(middle, south, east, north)


def shape(code, geometry, **other):
    return {"code": code, "name": f"第{int(code[12:])}网格", "geometry": geometry, **other}


def split(on):
    """The test cell split: its eastern half becomes a cell of its own."""
    west, east = halves()
    return {
        "community_code": COMMUNITY, "effective_on": str(on), "reason": "新楼入住",
        "cells": [shape(CELL, west), shape(NEW, east)],
    }  # fmt: skip


def collection(*cells, **other):
    features = [
        {"type": "Feature", "geometry": geometry, "properties": {"code": code, "name": "网格", **properties}}
        for code, geometry, properties in [(*cell, {})[:3] for cell in cells]
    ]
    return {"type": "FeatureCollection", "features": features, **other}


def at(code, share):
    """A position in the cell, `share` of the way from west to east."""
    west, _ = corner_of(code)
    return Position(lon=west + PLOT * share, lat=middle_of(code)[1], crs=Crs.wgs84)


async def door(make, share=None, cell=CELL, **other):
    position = None if share is None else at(cell, share)
    return await make.household(cell, position=position, **other)


@pytest.fixture
async def coordinator(make):
    return await make.worker(COMMUNITY)


async def plan(person, body, plan_id=None):
    made = await person.client.put(f"/api/v1/grid/plans/{plan_id or uuid7()}", json=body)
    assert made.status_code == 200, made.text
    return made.json()


async def step(person, made, what, **how):
    return await person.client.post(f"/api/v1/grid/plans/{made['id']}/{what}", **how)


def code_of(answer):
    return answer.status_code, answer.json().get("code")


# Checking


async def check(person, body, community=COMMUNITY):
    return await person.client.post(f"/api/v1/communities/{community}/grid/check", json=body)


async def test_everything_that_is_wrong_is_told_at_once_with_its_area(make, coordinator):
    await make.cell(OTHER_COMMUNITY + "004")
    theirs = corner_of(OTHER_COMMUNITY + "004")
    west, south = corner_of(CELL)
    bow = {"type": "Polygon", "coordinates": [[[west, south], [west + 0.001, south + 0.001], [west + 0.001, south],
                                               [west, south + 0.001], [west, south]]]}  # fmt: skip
    over = box(west + PLOT - 0.0005, south, west + 2 * PLOT, south + PLOT)
    far = box(west + 3 * PLOT, south, west + 4 * PLOT, south + PLOT)
    body = collection(
        (CELL, plot_of(CELL)), (NEIGHBOUR, over), (NEW, bow), (OTHER_COMMUNITY + "009", far),
        (COMMUNITY + "006", box(theirs[0], theirs[1], theirs[0] + PLOT, theirs[1] + PLOT)),
    )  # fmt: skip

    found = (await check(coordinator, body)).json()

    assert not found["sound"]
    by_fault = {one["fault"]: one for one in found["findings"]}
    assert set(by_fault) == {"bad_shape", "wrong_code", "overlap", "outside_community"}
    assert by_fault["overlap"]["cells"] == [CELL, NEIGHBOUR]
    assert by_fault["overlap"]["area_m2"] == pytest.approx(40_994 / 4, rel=0.01)
    assert by_fault["outside_community"]["cells"] == [COMMUNITY + "006", OTHER_COMMUNITY + "004"]
    assert by_fault["outside_community"]["area_m2"] == pytest.approx(41_000, rel=0.01)
    assert by_fault["bad_shape"]["cells"] == [NEW]
    assert all(one["blocks"] and one["sentence"] for one in found["findings"])


async def test_a_gap_between_cells_is_told_and_may_stay(coordinator):
    west, south = corner_of(CELL)
    slit = box(west + PLOT + 0.00001, south, west + 2 * PLOT, south + PLOT)

    found = (await check(coordinator, collection((CELL, plot_of(CELL)), (NEIGHBOUR, slit)))).json()
    tight = (await check(coordinator, collection((CELL, plot_of(CELL)), (NEIGHBOUR, plot_of(NEIGHBOUR))))).json()

    assert found["sound"]
    assert [(one["fault"], one["cells"]) for one in found["findings"]] == [("gap", [CELL, NEIGHBOUR])]
    assert found["findings"][0]["area_m2"] == pytest.approx(0.925 * 222, rel=0.05)
    assert tight["findings"] == []


async def test_a_hole_in_the_middle_is_a_gap_and_a_known_outline_bounds_the_community(coordinator):
    west, south = corner_of(CELL)
    ring = plot_of(CELL)["coordinates"][0]
    hole = box(west + 0.0005, south + 0.0005, west + 0.001, south + 0.001)["coordinates"][0]
    holed = {"type": "Polygon", "coordinates": [ring, hole]}
    narrow = box(west, south, west + PLOT / 2, south + PLOT)

    alone = (await check(coordinator, collection((CELL, holed), outline=plot_of(CELL)))).json()
    beyond = (await check(coordinator, collection((CELL, plot_of(CELL)), outline=narrow))).json()

    assert [(one["fault"], one["area_m2"]) for one in alone["findings"]] == [("gap", pytest.approx(2562, rel=0.02))]
    assert [one["fault"] for one in beyond["findings"]] == ["outside_community"]


async def test_ground_at_the_edge_that_is_given_up_is_a_gap_too(make, coordinator, today):
    for code in (CELL, NEIGHBOUR):
        await make.cell(code)
    west, south = corner_of(NEIGHBOUR)
    narrower = box(west, south, west + PLOT / 2, south + PLOT)

    loaded = (await check(coordinator, collection((CELL, plot_of(CELL)), (NEIGHBOUR, narrower)))).json()
    closing = await plan(coordinator, {**split(today), "cells": [], "closed": [NEIGHBOUR]})
    previewed = (await step(coordinator, closing, "preview")).json()

    told = [(one["fault"], one["cells"], one["area_m2"], one["blocks"]) for one in loaded["findings"]]
    assert told == [("gap", [NEIGHBOUR], pytest.approx(41_000 / 2, rel=0.01), False)]
    assert loaded["findings"][0]["sentence"].startswith(f"网格 {NEIGHBOUR} 旁边有一块不属于任何网格 ")
    assert [(one["fault"], one["cells"]) for one in previewed["findings"]] == [("gap", [CELL])]
    assert previewed["ready"]


async def test_cells_drawn_in_another_system_are_stored_in_ours(make, coordinator):
    from backend.grid.geo import from_wgs84

    [ring] = plot_of(CELL)["coordinates"]
    shifted = {"type": "Polygon", "coordinates": [[list(from_wgs84(*point, Crs.bd09)) for point in ring]]}

    answer = await coordinator.client.put(
        f"/api/v1/communities/{COMMUNITY}/grid", json=collection((CELL, shifted), crs_name="bd09")
    )
    stored = (await coordinator.client.get(f"/api/v1/cells/{CELL}")).json()

    assert answer.json()["plan"]["state"] == "applied"
    for point, wanted in zip(stored["geometry"]["coordinates"][0], ring, strict=True):
        assert point == pytest.approx(wanted, abs=1e-8)


# Loading


async def load(person, body, community=COMMUNITY):
    return await person.client.put(f"/api/v1/communities/{community}/grid", json=body)


async def test_a_units_code_comes_with_the_map_of_its_cell_and_goes_with_it(make, coordinator):
    unit = {"kind": "special", "purpose": "school", "unit_code": "12100000400000624d"}
    body = collection((CELL, plot_of(CELL)), (NEIGHBOUR, plot_of(CELL), unit))

    first, again = [await load(coordinator, body) for _ in range(2)]
    fetched = await coordinator.client.get("/api/v1/cells", headers={"Accept": "application/geo+json"})
    brought_back = await load(coordinator, fetched.json())
    wrong = await load(coordinator, collection((CELL, plot_of(CELL), {"unit_code": "12100000400000624D"})))

    assert [one.json()["changed"] for one in (first, again, brought_back)] == [True, False, False]
    assert fetched.json()["features"][0]["properties"]["unit_code"] == "12100000400000624D"
    assert wrong.status_code == 422
    assert [one["pointer"] for one in wrong.json()["errors"]] == ["/features/0/properties/unit_code"]


async def test_all_cells_of_a_community_are_loaded_at_once_and_a_repeat_changes_nothing(make, coordinator):
    await make.cell(CELL)
    home = await door(make, 0.7)
    west, east = halves()
    body = collection((NEIGHBOUR, west), (NEW, east, {"name": "东"}))

    first, again = [await load(coordinator, body) for _ in range(2)]
    cells = (await coordinator.client.get("/api/v1/cells")).json()["items"]
    moved = (await coordinator.client.get(f"/api/v1/households/{home.id}")).json()

    assert first.json()["plan"]["moved"] == {"households": 1, "residents": 0, "visits": 0}
    assert (first.json()["changed"], again.json()["changed"]) == (True, False)
    assert {cell["code"] for cell in cells} == {NEIGHBOUR, NEW}
    assert moved["area_code"] == NEW


async def test_what_was_given_out_can_be_loaded_again(make, coordinator):
    await make.cell(CELL)
    await make.cell(COMMUNITY + "009", kind=CellKind.special)
    given = await coordinator.client.get("/api/v1/cells", headers={"Accept": "application/geo+json"})

    answer = await load(coordinator, given.json())

    assert answer.status_code == 200, answer.text
    assert answer.json()["changed"] is False


async def test_a_faulty_grid_is_not_loaded(make, coordinator):
    answer = await load(coordinator, collection((CELL, plot_of(CELL)), (NEIGHBOUR, plot_of(CELL))))

    assert code_of(answer) == (422, "grid_faulty")
    assert "重叠" in answer.json()["detail"]
    assert (await coordinator.client.get("/api/v1/cells")).json()["items"] == []


async def test_a_grid_for_later_waits_for_its_day_and_a_second_one_is_refused(make, coordinator, today):
    await make.cell(CELL)
    later = str(today + timedelta(days=3))
    west, east = halves()
    body = collection((CELL, west), (NEW, east), effective_on=later)

    first, again = [await load(coordinator, body) for _ in range(2)]
    other = await load(coordinator, collection((CELL, west), effective_on=later))

    assert first.json()["plan"]["state"] == "scheduled"
    assert again.json()["plan"]["id"] == first.json()["plan"]["id"]
    assert code_of(other) == (409, "plan_scheduled")
    assert [cell["code"] for cell in (await coordinator.client.get("/api/v1/cells")).json()["items"]] == [CELL]


# Plans


async def test_a_preview_names_who_and_what_will_move_and_changes_nothing(make, coordinator, today):
    await make.cell(CELL)
    stays, goes = await door(make, 0.2), await door(make, 0.7)
    person = await make.resident(goes)
    request = await make.request(goes)
    offer = await make.offer(request, await make.volunteer())

    async def fall_due(tx):
        await tx.conn.execute("UPDATE household SET due_on = $1 WHERE id = $2", today, goes.id)

    await make.run(fall_due)
    made = await plan(coordinator, split(today))

    shown = (await step(coordinator, made, "preview")).json()

    assert shown["ready"]
    assert shown["moving"] == [{
        "from_area": CELL, "to_area": NEW, "households": [str(goes.id)], "residents": [str(person.id)],
        "requests": [str(request.id)], "due_visits": [str(goes.id)], "offers": [str(offer)],
    }]  # fmt: skip
    assert shown["undecided"] == []
    unchanged = (await coordinator.client.get(f"/api/v1/households/{goes.id}")).json()
    assert unchanged["area_code"] == CELL
    assert stays.area_code == CELL


async def areas(make, table, **where):
    async def read(tx):
        column, value = next(iter(where.items()))
        rows = await tx.conn.fetch(f"SELECT area_code FROM {table} WHERE {column} = $1 ORDER BY 1", value)
        return [row["area_code"] for row in rows]

    return await make.run(read)


async def test_applied_everything_of_a_household_goes_along_and_what_happened_stays_where_it_did(
    make, coordinator, today
):
    await make.cell(CELL)
    home = await door(make, 0.7)
    person = await make.resident(home, name="何长顺")
    request = await make.request(home)
    offer = await make.offer(request, await make.volunteer())
    worker, visit = await make.worker(), uuid7()
    await worker.client.put(
        f"/api/v1/visits/{visit}",
        json={"household_id": str(home.id), "outcome": "seen", "visited_at": make.database.clock().isoformat()},
    )
    made = await plan(coordinator, split(today))

    applied = (await step(coordinator, made, "apply")).json()

    assert applied["state"] == "applied"
    assert applied["moved"] == {"households": 1, "residents": 1, "visits": 1, "requests": 1, "offers": 1}
    for table, key, value in [
        ("household", "id", home.id), ("resident", "id", person.id), ("request", "id", request.id),
        ("request_event", "request_id", request.id), ("offer", "id", offer), ("visit", "id", visit),
    ]:  # fmt: skip
        assert await areas(make, table, **{key: value}) == [NEW], table
    assert set(await areas(make, "search_key", entity_id=person.id)) == {NEW}
    happened = (await coordinator.client.get("/api/v1/visits")).json()["items"][0]["happened_in"]
    asked = (await coordinator.client.get(f"/api/v1/requests/{request.id}")).json()
    assert (happened, asked["happened_in"], asked["area_code"]) == (CELL, CELL, NEW)


async def test_a_visit_that_arrives_after_the_boundary_changed_happened_in_the_cell_of_its_day(
    make, coordinator, today
):
    await make.cell(CELL)
    home = await door(make, 0.7)
    worker, clock = await make.worker(), make.database.clock
    made = await plan(coordinator, split(today))
    await step(coordinator, made, "apply")
    back = {
        "community_code": COMMUNITY, "effective_on": str(today + timedelta(days=3)), "reason": "又并回来",
        "cells": [shape(CELL, plot_of(CELL))], "closed": [NEW],
    }  # fmt: skip
    make.database.clock = lambda: clock() + timedelta(days=3)
    again = await step(coordinator, await plan(coordinator, back), "apply")
    assert again.json()["state"] == "applied", again.text

    said = {}
    for days in (-1, 0, 1, 3):
        visit = {
            "household_id": str(home.id),
            "outcome": "seen",
            "visited_at": (clock() + timedelta(days=days)).isoformat(),
        }
        stored = await worker.client.put(f"/api/v1/visits/{uuid7()}", json=visit)
        assert stored.status_code == 200, stored.text
        said[days] = (stored.json()["happened_in"], stored.json()["area_code"])

    assert said == {-1: (CELL, CELL), 0: (NEW, CELL), 1: (NEW, CELL), 3: (CELL, CELL)}


async def test_many_late_visits_come_in_one_statement_and_each_happened_in_its_own_cell(make, coordinator, today):
    await make.cell(CELL)
    moved, stayed = await door(make, 0.7, room="701"), await door(make, 0.2, room="201")
    await step(coordinator, await plan(coordinator, split(today)), "apply")
    yesterday = make.database.clock() - timedelta(days=1)
    drafts = [
        visits.Draft(uuid7(), VisitIn.model_validate(visit_to(one.id, visited_at=when)))
        for one in (moved, stayed)
        for when in (yesterday, make.database.clock())
    ]

    async def record(tx):
        return await visits.record_many(tx, tx.caller, drafts)

    _stored, refused = await make.run(record)
    found = await make.run(lambda tx: visit_queries.by_ids(tx.conn, tx.county, [draft.id for draft in drafts]))

    assert refused == {}
    assert [found[draft.id]["happened_in"] for draft in drafts] == [CELL, NEW, CELL, CELL]


async def test_an_empty_flat_goes_with_the_ground_and_one_without_a_position_stays(make, coordinator, today):
    await make.cell(CELL)
    worker, flats = await make.worker(), {}
    for share, room in ((0.2, "101"), (0.7, "102"), (None, "103")):
        place = None if share is None else at(CELL, share).model_dump(mode="json")
        body = {"cell_code": CELL, "compound": "河滨小区", "room": room, "usage": "empty", "position": place}
        flats[room] = uuid7()
        assert (await worker.client.put(f"/api/v1/dwellings/{flats[room]}", json=body)).status_code == 200
    made = await plan(coordinator, split(today))

    applied = (await step(coordinator, made, "apply")).json()

    assert applied["moved"] == {"doors": 1}
    assert {room: await areas(make, "dwelling", id=flat) for room, flat in flats.items()} == {
        "101": [CELL], "102": [NEW], "103": [CELL],
    }  # fmt: skip


async def test_an_empty_flat_of_a_closed_cell_falls_to_the_community(make, coordinator):
    await make.cell(CELL)
    await make.cell(NEIGHBOUR)
    worker, flat = await make.worker(), uuid7()
    place = at(CELL, 0.7).model_dump(mode="json")
    await worker.client.put(f"/api/v1/dwellings/{flat}", json={"cell_code": CELL, "room": "1", "position": place})
    made = await plan(coordinator, {
        "community_code": COMMUNITY, "effective_on": str(county_day(make.database.clock())), "reason": "撤并",
        "cells": [], "closed": [CELL],
    })  # fmt: skip

    await step(coordinator, made, "apply")

    assert await areas(make, "dwelling", id=flat) == [COMMUNITY]


async def test_periods_end_in_the_old_cell_and_go_on_in_the_new_one(make, coordinator, today):
    await make.cell(CELL)
    person = await make.resident(await door(make, 0.7))

    async def age(tx):
        await tx.conn.execute("UPDATE period SET from_day = $1", today - timedelta(days=30))

    await make.run(age)
    made = await plan(coordinator, split(today))

    await step(coordinator, made, "apply")

    async def read(tx):
        rows = await tx.conn.fetch(
            "SELECT area_code, from_day, until_day < 'infinity' AS ended FROM period"
            " WHERE resident_id = $1 AND track = 'residency' ORDER BY from_day",
            person.id,
        )
        return [tuple(row) for row in rows]

    assert await make.run(read) == [(CELL, today - timedelta(days=30), True), (NEW, today, False)]


async def test_the_feed_says_gone_to_the_old_cell_and_new_to_the_new_one(make, coordinator, today):
    await make.cell(CELL)
    home = await door(make, 0.7)
    old, new = await make.partner(CELL), await make.partner(NEW)
    before = (await old.client.get("/api/v1/changes")).json()["cursor"]
    made = await plan(coordinator, split(today))
    await step(coordinator, made, "apply")

    gone = (await old.client.get("/api/v1/changes", params={"cursor": before})).json()["items"]
    fresh = (await new.client.get("/api/v1/changes")).json()["items"]

    assert [(one["kind"], one["gone"]) for one in gone if one["id"] == str(home.id)] == [("household", True)]
    assert [one["body"]["area_code"] for one in fresh if one["id"] == str(home.id)] == [NEW]
    assert {one["body"]["code"] for one in gone if one["kind"] == "cell"} == {CELL}


async def test_a_plan_applied_twice_moves_once(make, coordinator, today):
    await make.cell(CELL)
    await door(make, 0.7)
    made = await plan(coordinator, split(today))

    first, again = [await step(coordinator, made, "apply") for _ in range(2)]

    assert first.json() == again.json()


async def test_who_lives_where_the_map_cannot_say_is_listed_apart_and_decided(make, coordinator, today):
    await make.cell(CELL)
    await make.cell(NEIGHBOUR)
    unplaced, elsewhere = await door(make), await door(make, 1.5)  # registered here, standing in the neighbour
    untouched = await door(make, cell=NEIGHBOUR)
    body = {**split(today), "cells": [shape(NEW, plot_of(CELL))], "closed": [CELL]}
    made = await plan(coordinator, body)

    shown = (await step(coordinator, made, "preview")).json()
    early = await step(coordinator, made, "apply")
    decisions = [
        {"household_id": str(one.id), "cell_code": code} for one, code in [(unplaced, NEW), (elsewhere, NEIGHBOUR)]
    ]
    url = f"/api/v1/grid/plans/{made['id']}/decisions"
    blind = await coordinator.client.put(url, json={"decisions": decisions})
    decided = await coordinator.client.put(url, json={"decisions": decisions}, headers={"If-Match": '"1"'})
    applied = await step(coordinator, made, "apply")

    assert {(one["household_id"], one["why"], one["must"]) for one in shown["undecided"]} == {
        (str(unplaced.id), "no_position", True), (str(elsewhere.id), "disagrees", True),
    }  # fmt: skip
    assert not shown["ready"]
    assert code_of(early) == (409, "plan_undecided")
    assert code_of(blind) == (428, "precondition_missing")
    assert decided.status_code == applied.status_code == 200
    assert await areas(make, "household", id=unplaced.id) == [NEW]
    assert (
        await areas(make, "household", id=elsewhere.id)
        == await areas(make, "household", id=untouched.id)
        == [NEIGHBOUR]
    )


async def test_a_decision_about_somebody_the_map_can_place_or_for_a_cell_that_ends_is_refused(make, coordinator, today):
    await make.cell(CELL)
    placed, unplaced = await door(make, 0.7), await door(make)
    made = await plan(coordinator, {**split(today), "cells": [shape(NEW, plot_of(CELL))], "closed": [CELL]})

    answers = [
        await coordinator.client.put(
            f"/api/v1/grid/plans/{made['id']}/decisions", headers={"If-Match": '"1"'},
            json={"decisions": [{"household_id": str(home.id), "cell_code": code}]},
        )
        for home, code in [(placed, NEW), (unplaced, CELL)]
    ]  # fmt: skip

    assert [code_of(answer) for answer in answers] == [(404, "household_not_here"), (422, "unknown_area")]


async def test_a_closed_cell_is_gone_its_past_stays_and_its_code_is_not_used_again(make, coordinator, today):
    await make.cell(CELL)
    await make.cell(NEIGHBOUR)
    made = await plan(coordinator, {**split(today), "cells": [], "closed": [CELL]})
    await step(coordinator, made, "apply")

    again = await coordinator.client.put(f"/api/v1/cells/{CELL}", json={"name": "又一个", "geometry": plot_of(CELL)})
    planned = await plan(coordinator, {**split(today), "cells": [shape(CELL, plot_of(CELL))]})
    shown = (await step(coordinator, planned, "preview")).json()

    assert (await coordinator.client.get(f"/api/v1/cells/{CELL}")).status_code == 404
    assert code_of(again) == (409, "cell_closed")
    assert [one["fault"] for one in shown["findings"]] == ["wrong_code"]


async def test_a_scheduled_plan_is_applied_at_its_day_and_not_before(make, coordinator, today):
    await make.cell(CELL)
    home = await door(make, 0.7)
    made = await plan(coordinator, split(today + timedelta(days=2)))
    early = await step(coordinator, made, "apply")
    scheduled, again = [await step(coordinator, made, "schedule") for _ in range(2)]
    await apply_due(make.database, COUNTY)
    before = await areas(make, "household", id=home.id)

    clock = make.database.clock
    make.database.clock = lambda: clock() + timedelta(days=2)
    await apply_due(make.database, COUNTY)

    assert code_of(early) == (422, "in_the_future")
    assert scheduled.json() == again.json()
    assert before == [CELL]
    assert await areas(make, "household", id=home.id) == [NEW]
    assert (await coordinator.client.get(f"/api/v1/grid/plans/{made['id']}")).json()["state"] == "applied"


async def test_a_cancelled_plan_is_not_applied(make, coordinator, today):
    await make.cell(CELL)
    made = await plan(coordinator, split(today))
    await step(coordinator, made, "schedule")

    cancelled, again = [await step(coordinator, made, "cancel") for _ in range(2)]
    await apply_due(make.database, COUNTY)

    assert cancelled.json() == again.json()
    assert code_of(await step(coordinator, made, "apply")) == (409, "step_not_allowed")
    refused = await step(coordinator, made, "schedule")
    assert (code_of(refused), refused.json()["detail"]) == ((409, "step_not_allowed"), "方案现在是“已取消”。")


async def test_a_draft_is_changed_on_what_was_read_and_made_once(make, coordinator, today):
    plan_id, body = uuid7(), split(today)
    first, again = await plan(coordinator, body, plan_id), await plan(coordinator, body, plan_id)
    url = f"/api/v1/grid/plans/{plan_id}"

    other = await coordinator.client.put(url, json={**body, "reason": "别的"})
    stale = await coordinator.client.put(url, json=body, headers={"If-Match": '"7"'})
    changed = await coordinator.client.put(url, json={**body, "reason": "改了"}, headers={"If-Match": '"1"'})

    assert first == again
    assert code_of(other) == (409, "id_taken")
    assert code_of(stale) == (412, "stale")
    assert (changed.json()["reason"], changed.json()["rev"]) == ("改了", 2)
    assert [one["id"] for one in (await coordinator.client.get("/api/v1/grid/plans")).json()["items"]] == [str(plan_id)]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"effective_on": "2020-01-01"}, 422, "too_old"),
        ({"community_code": "610330100999", "cells": [shape("610330100999001", plot_of(CELL))]}, 422, "unknown_area"),
        ({"community_code": OTHER_COMMUNITY, "cells": [shape(OTHER_COMMUNITY + "001", plot_of(CELL))]}, 403,
         "area_not_allowed"),
        ({"closed": [CELL]}, 422, "malformed"),
        ({"cells": []}, 422, "malformed"),
        ({"cells": [shape(OTHER_COMMUNITY + "001", plot_of(CELL))]}, 422, "malformed"),
        ({"cells": [shape(CELL, plot_of(CELL), unit_name="凤县中学")]}, 422, "malformed"),
        ({"cells": [shape(CELL, plot_of(CELL), unit_code="12100000400000624D")]}, 422, "malformed"),
    ],
)  # fmt: skip
async def test_a_plan_that_cannot_be_is_refused(coordinator, today, change, status, code):
    answer = await coordinator.client.put(f"/api/v1/grid/plans/{uuid7()}", json={**split(today), **change})

    assert code_of(answer) == (status, code)


async def test_a_faulty_plan_is_neither_scheduled_nor_applied(make, coordinator, today):
    await make.cell(NEIGHBOUR)
    made = await plan(coordinator, {**split(today), "cells": [shape(CELL, plot_of(NEIGHBOUR))]})

    shown = (await step(coordinator, made, "preview")).json()

    assert [one["fault"] for one in shown["findings"]] == ["overlap"]
    assert code_of(await step(coordinator, made, "schedule")) == (422, "grid_faulty")
    assert code_of(await step(coordinator, made, "apply")) == (422, "grid_faulty")


async def test_only_a_coordinator_of_the_community_works_on_plans(make, coordinator, today):
    made = await plan(coordinator, split(today))
    worker, stranger = await make.worker(CELL), await make.worker(OTHER_COMMUNITY)
    wide = await make.account((Role.community_worker, COMMUNITY + "001"))
    grid = f"/api/v1/communities/{COMMUNITY}/grid"

    for what in ("preview", "schedule", "apply", "cancel"):
        assert code_of(await step(worker, made, what)) == (403, "role_not_allowed")
        assert code_of(await step(stranger, made, what)) == (404, "not_found")
        assert code_of(await step(wide, made, what)) == (404, "not_found")
    decisions = f"/api/v1/grid/plans/{made['id']}/decisions"
    assert code_of(await worker.client.put(decisions, json={"decisions": []})) == (403, "role_not_allowed")
    assert code_of(await stranger.client.put(decisions, json={"decisions": []})) == (404, "not_found")
    assert code_of(await worker.client.put(f"/api/v1/grid/plans/{uuid4()}", json=split(today))) == (
        403,
        "role_not_allowed",
    )
    for person, code in [(worker, "role_not_allowed"), (stranger, "area_not_allowed")]:
        assert code_of(await check(person, collection((CELL, plot_of(CELL))))) == (403, code)
        assert code_of(await person.client.put(grid, json=collection((CELL, plot_of(CELL))))) == (403, code)
    partner = await make.partner()
    assert code_of(await partner.client.get("/api/v1/grid/plans")) == (403, "role_not_allowed")
    assert code_of(await partner.client.get(f"/api/v1/grid/plans/{made['id']}")) == (403, "role_not_allowed")
