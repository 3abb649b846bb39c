"""Divisions, cells and places, over HTTP on PostgreSQL."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import pytest

from backend.core.clock import county_day
from backend.core.scope import system_caller
from backend.grid import boundaries, queries
from backend.grid.geo import from_wgs84, to_gcj02
from shared.auth import Role
from shared.grid import CellKind
from shared.types import Crs
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY, PLOT, corner_of, middle_of, plot_of

GEOJSON = {"Accept": "application/geo+json"}


def url(code=CELL):
    return f"/api/v1/cells/{code}"


def drawn(code=CELL, **other):
    return {"name": "第三网格", "geometry": plot_of(code), **other}


def ring(*points):
    return {"type": "Polygon", "coordinates": [[list(p) for p in points]]}


def widened(code=CELL, by=0.0004):
    """The cell's square, reaching further to the north where nobody else is."""
    west, south = corner_of(code)
    east, north = west + PLOT, south + PLOT + by
    return ring((west, south), (east, south), (east, north), (west, north), (west, south))


async def locate(person, lon, lat, crs="wgs84"):
    return await person.client.get("/api/v1/cells/locate", params={"lon": lon, "lat": lat, "crs": crs})


async def periods(make, code=CELL):
    async def read(tx):
        return await tx.conn.fetch(
            "SELECT from_day, until_day FROM cell_boundary WHERE area_code = $1 ORDER BY from_day", code
        )

    return [tuple(row) for row in await make.run(read)]


# Divisions


async def test_divisions_go_down_level_by_level(make):
    worker = await make.worker()

    towns = await worker.client.get("/api/v1/divisions", params={"parent_code": COUNTY, "level": "town"})
    community = await worker.client.get(f"/api/v1/divisions/{COMMUNITY}")

    assert {"code": "610330100", "level": "town", "name": "双石铺镇", "parent_code": COUNTY} in towns.json()["items"]
    assert community.json()["name"] == "杨家坪社区居委会"


async def test_divisions_come_in_pages_without_a_gap(make):
    worker, seen, cursor = await make.worker(), [], None

    while cursor is not None or not seen:
        params = {"limit": 30} | ({"cursor": cursor} if cursor else {})
        page = (await worker.client.get("/api/v1/divisions", params=params)).json()
        seen, cursor = seen + [item["code"] for item in page["items"]], page["next_cursor"]

    assert len(seen) == len(set(seen)) == 86
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/divisions/610330999", 404, "not_found"),
        ("/divisions/6103301", 422, "malformed"),
        ("/divisions/%00", 422, "malformed"),
        ("/divisions?parent_code=99", 422, "unknown_area"),
        ("/divisions?level=village", 422, "malformed"),
        ("/divisions?cursor=nowhere", 422, "malformed"),
        ("/divisions?limit=99999999999999999999999", 422, "malformed"),
    ],
)
async def test_a_division_that_is_not_there_is_said_so(make, path, status, code):
    answer = await (await make.worker()).client.get(f"/api/v1{path}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_stranger_reads_nothing_of_the_grid(make):
    stranger = make.client()

    place = "/cells/locate?lon=1&lat=1&crs=wgs84"
    paths = ("/divisions", f"/divisions/{COUNTY}", "/cells", f"/cells/{CELL}", place)
    answers = [await stranger.get(f"/api/v1{path}") for path in paths]

    assert {answer.status_code for answer in answers} == {401}


# Drawing


async def test_a_cell_is_drawn_and_read_back(make):
    worker = await make.worker(COMMUNITY)

    made = await worker.client.put(url(), json=drawn())
    read = await worker.client.get(url())

    assert made.status_code == 201
    assert made.headers["ETag"] == read.headers["ETag"] == '"1"'
    assert read.json() == made.json()
    assert read.json()["geometry"] == plot_of(CELL)
    assert read.json()["community_code"] == COMMUNITY
    assert read.json()["area_m2"] == 40_994


async def test_drawing_the_same_again_changes_nothing(make):
    worker = await make.worker(COMMUNITY)

    made = await worker.client.put(url(), json=drawn())
    again = await worker.client.put(url(), json=drawn())

    assert again.status_code == 200
    assert again.json() == made.json()


async def test_one_cell_comes_of_two_that_draw_it_at_once(make):
    worker = await make.worker(COMMUNITY)

    answers = await asyncio.gather(*(worker.client.put(url(), json=drawn()) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_two_who_take_the_same_ground_at_once_cannot_both_have_it(make):
    worker = await make.worker(COMMUNITY)

    answers = await asyncio.gather(
        worker.client.put(url(CELL), json=drawn(CELL)), worker.client.put(url(NEIGHBOUR), json=drawn(CELL))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_another_boundary_needs_the_version_it_was_drawn_on(make):
    await make.cell()
    worker = await make.worker(COMMUNITY)
    other = drawn() | {"geometry": widened()}

    missing = await worker.client.put(url(), json=other)
    stale = await worker.client.put(url(), json=other, headers={"If-Match": '"7"'})
    changed = await worker.client.put(url(), json=other, headers={"If-Match": '"1"'})

    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_missing")
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert (changed.status_code, changed.json()["rev"]) == (200, 2)
    assert changed.json()["geometry"] == other["geometry"]


async def test_a_version_of_a_cell_that_is_not_there_is_stale(make):
    worker = await make.worker(COMMUNITY)

    answer = await worker.client.put(url(), json=drawn(), headers={"If-Match": '"1"'})

    assert answer.status_code == 412


async def test_another_boundary_ends_the_present_one_the_day_it_begins(make):
    worker = await make.worker(COMMUNITY)
    today = county_day(make.database.clock())
    long_ago = today - timedelta(days=100)
    await worker.client.put(url(), json=drawn(from_day=str(long_ago)))

    wide, wider = (drawn() | {"geometry": widened(by=by)} for by in (0.0004, 0.0006))
    await worker.client.put(url(), json=wide, headers={"If-Match": '"1"'})
    same_day = await worker.client.put(url(), json=wider, headers={"If-Match": '"2"'})

    history = await periods(make)
    assert [row[0] for row in history] == [long_ago, today]
    assert [str(row[1]) for row in history] == [str(today), "9999-12-31"]
    assert same_day.json()["rev"] == 3
    assert same_day.json()["geometry"] == widened(by=0.0006)


async def test_a_new_name_keeps_the_boundary_and_its_day(make):
    worker = await make.worker(COMMUNITY)
    day = str(county_day(make.database.clock()) - timedelta(days=9))
    await worker.client.put(url(), json=drawn(from_day=day))

    renamed = await worker.client.put(url(), json=drawn(name="河滨网格"), headers={"If-Match": '"1"'})

    assert (renamed.json()["name"], renamed.json()["from_day"], renamed.json()["rev"]) == ("河滨网格", day, 2)
    assert len(await periods(make)) == 1


@pytest.mark.parametrize(("days", "code"), [(1, "in_the_future"), (-200, "too_old")])
async def test_a_boundary_begins_neither_tomorrow_nor_before_the_present_one(make, days, code):
    worker = await make.worker(COMMUNITY)
    today = county_day(make.database.clock())
    await worker.client.put(url(), json=drawn(from_day=str(today - timedelta(days=100))))

    body = drawn(from_day=str(today + timedelta(days=days))) | {"geometry": widened()}
    answer = await worker.client.put(url(), json=body, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == "/from_day"


async def test_a_cell_that_takes_a_neighbours_ground_is_refused(make):
    await make.cell(NEIGHBOUR)
    worker = await make.worker(COMMUNITY)
    west, south = corner_of(CELL)
    east, north = west + PLOT + 0.0001, south + PLOT

    body = drawn() | {"geometry": ring((west, south), (east, south), (east, north), (west, north), (west, south))}
    answer = await worker.client.put(url(), json=body)

    assert (answer.status_code, answer.json()["code"]) == (409, "cells_overlap")
    assert NEIGHBOUR in answer.json()["detail"]
    assert (await worker.client.get(url())).status_code == 404


async def test_a_sliver_is_no_overlap_and_a_special_cell_may_lie_over_others(make):
    await make.cell(NEIGHBOUR)
    worker = await make.worker(COMMUNITY)
    west, south = corner_of(CELL)
    east, north = round(west + PLOT, 6) + 2e-8, south + PLOT

    body = drawn() | {"geometry": ring((west, south), (east, south), (east, north), (west, north), (west, south))}
    sliver = await worker.client.put(url(), json=body)
    special = await worker.client.put(url(COMMUNITY + "901"), json=drawn(kind="special"))

    assert (sliver.status_code, special.status_code) == (201, 201)


BAD_GEOMETRY = {
    "self-crossing": ring((106.52, 33.91), (106.53, 33.92), (106.53, 33.91), (106.52, 33.92), (106.52, 33.91)),
    "open": ring((106.52, 33.91), (106.53, 33.91), (106.53, 33.92), (106.52, 33.92)),
    "two corners": ring((106.52, 33.91), (106.53, 33.91), (106.52, 33.91)),
    "flat": ring((106.52, 33.91), (106.53, 33.91), (106.54, 33.91), (106.52, 33.91)),
    "latitude first": ring((33.91, 106.52), (33.91, 106.53), (33.92, 106.53), (33.91, 106.52)),
    "a point": {"type": "Point", "coordinates": [106.52, 33.91]},
    "a collection": {"type": "GeometryCollection", "geometries": []},
    "no type": {"coordinates": [[[106.52, 33.91]] * 4]},
    "nothing": {},
    "empty": {"type": "Polygon", "coordinates": []},
    "many of nothing": {"type": "MultiPolygon", "coordinates": [[]]},
    "words": {"type": "Polygon", "coordinates": "东边"},
    "a hole outside": {
        "type": "Polygon",
        "coordinates": [
            plot_of(CELL)["coordinates"][0],
            [[106.6, 33.9], [106.61, 33.9], [106.61, 33.91], [106.6, 33.9]],
        ],
    },
}


@pytest.mark.parametrize("geometry", BAD_GEOMETRY.values(), ids=BAD_GEOMETRY)
async def test_a_bad_boundary_is_refused_in_plain_words(make, geometry):
    worker = await make.worker(COMMUNITY)

    answer = await worker.client.put(url(), json=drawn() | {"geometry": geometry})

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_geometry")
    assert answer.json()["errors"][0]["pointer"] == "/geometry"
    assert answer.json()["detail"].endswith("。")
    assert (await worker.client.get("/api/v1/cells")).json()["items"] == []


IMPOSSIBLE = ["NaN", "Infinity", "1e400", "1" * 400, "1" * 5000, "181", "null", '"x"', "[" * 9000]


@pytest.mark.parametrize("number", IMPOSSIBLE)
async def test_impossible_coordinates_are_never_a_server_error(make, number):
    worker = await make.worker(COMMUNITY)
    body = json.dumps(drawn()).replace("106.526", number, 1)

    answer = await worker.client.put(url(), content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) in ((422, "bad_geometry"), (422, "malformed"))


async def test_a_boundary_outside_the_county_is_refused(make):
    worker = await make.worker(COMMUNITY)
    square = ring((107.5, 33.9), (107.51, 33.9), (107.51, 33.91), (107.5, 33.9))

    answer = await worker.client.put(url(), json=drawn() | {"geometry": square})

    assert (answer.status_code, answer.json()["code"]) == (422, "outside_county")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("610330100999003", 422, "unknown_area"),
        ("610331100001001", 422, "unknown_area"),
        ("61033010000800", 422, "malformed"),
        ("6103301000080٠٠", 422, "malformed"),
        ("61033010000800%00", 422, "malformed"),
        (OTHER_COMMUNITY + "001", 403, "area_not_allowed"),
    ],
)
async def test_a_cell_of_no_community_or_of_another_one_is_refused(make, code, status, said):
    worker = await make.worker(COMMUNITY)

    answer = await worker.client.put(url(code), json=drawn())

    assert (answer.status_code, answer.json()["code"]) == (status, said)


async def test_only_those_who_coordinate_may_draw(make):
    people = [await make.worker(CELL), await make.auditor(), await make.partner()]
    both = await make.account((Role.grid_worker, CELL), (Role.community_worker, OTHER_COMMUNITY))

    refused = [await person.client.put(url(), json=drawn()) for person in people]
    elsewhere = await both.client.put(url(), json=drawn())

    assert {answer.json()["code"] for answer in refused} == {"role_not_allowed"}
    assert elsewhere.json()["code"] == "area_not_allowed"


async def test_areas_are_those_of_the_ellipsoid():
    square, planet = boundaries.read(plot_of(CELL)), ring((-180, -90), (180, -90), (180, 90), (-180, 90), (-180, -90))

    # 0.002 degrees at 33.991 N: 184.79 m by 221.845 m by the lengths of a degree there.
    assert boundaries.area_m2(square.shape) == pytest.approx(184.79 * 221.845, rel=1e-4)
    assert boundaries.area_m2(boundaries.read(planet).shape) == pytest.approx(510_065_621_724_078, rel=1e-6)


# Reading


async def test_an_unchanged_cell_is_not_sent_again(make):
    await make.cell()
    worker = await make.worker()

    known = await worker.client.get(url(), headers={"If-None-Match": '"1"'})
    weak = await worker.client.get(url(), headers={"If-None-Match": 'W/"1", "9"'})
    old = await worker.client.get(url(), headers={"If-None-Match": '"0"'})

    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", '"1"')
    assert (weak.status_code, old.status_code) == (304, 200)


async def test_cells_come_newest_first_in_pages(make):
    for number in range(1, 6):
        await make.cell(f"{COMMUNITY}{number:03d}")
    admin = await make.admin()

    first = (await admin.client.get("/api/v1/cells", params={"limit": 3})).json()
    rest = (await admin.client.get("/api/v1/cells", params={"limit": 3, "cursor": first["next_cursor"]})).json()

    assert [item["code"][-3:] for item in first["items"] + rest["items"]] == ["005", "004", "003", "002", "001"]
    assert rest["next_cursor"] is None


async def test_a_map_is_asked_for_as_geojson(make):
    for code in (CELL, NEIGHBOUR):
        await make.cell(code)
    admin = await make.admin()

    whole = await admin.client.get("/api/v1/cells", params={"area_code": COMMUNITY}, headers=GEOJSON)
    first = await admin.client.get("/api/v1/cells", params={"limit": 1}, headers=GEOJSON)
    rest = await admin.client.get(first.links["next"]["url"], headers=GEOJSON)
    one = await admin.client.get(url(), headers=GEOJSON)

    assert whole.headers["Content-Type"].startswith("application/geo+json")
    assert [f["id"] for f in whole.json()["features"]] == [NEIGHBOUR, CELL]
    assert [f["id"] for f in first.json()["features"] + rest.json()["features"]] == [NEIGHBOUR, CELL]
    assert "next" not in rest.links
    assert one.json() == whole.json()["features"][1]
    assert one.json()["geometry"] == plot_of(CELL)
    assert one.json()["properties"]["name"] == "第三网格"
    assert one.headers["ETag"] == '"1"'


async def test_an_empty_map_is_still_a_map(make):
    answer = await (await make.admin()).client.get("/api/v1/cells", headers=GEOJSON)

    assert answer.json() == {"type": "FeatureCollection", "features": []}


async def test_a_worker_sees_his_own_cell_only(make):
    for code in (CELL, NEIGHBOUR):
        await make.cell(code)
    worker = await make.worker(CELL)

    listed = await worker.client.get("/api/v1/cells")
    other = await worker.client.get(url(NEIGHBOUR))
    asked = await worker.client.get("/api/v1/cells", params={"area_code": NEIGHBOUR})

    assert [item["code"] for item in listed.json()["items"]] == [CELL]
    assert other.status_code == 404
    assert (asked.status_code, asked.json()["code"]) == (403, "area_not_allowed")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"area_code": "610330999"}, "unknown_area"),
        ({"area_code": "6103"}, None),
        ({"area_code": "61033"}, "malformed"),
        ({"area_code": "61\x00330"}, "malformed"),
        ({"cursor": "nowhere"}, "bad_cursor"),
        ({"cursor": "\x00"}, "bad_cursor"),
        ({"limit": 0}, "malformed"),
        ({"limit": 201}, "malformed"),
    ],
)
async def test_a_list_asked_for_wrongly_is_said_so(make, params, code):
    answer = await (await make.admin()).client.get("/api/v1/cells", params=params)

    assert answer.json().get("code") == code
    assert answer.status_code == (422 if code else 200)


async def test_staff_read_the_names_of_all_basic_cells_of_the_county_and_nobody_else_does(make):
    await make.cell(CELL)
    await make.cell(OTHER_COMMUNITY + "001")
    worker, volunteer, partner = await make.worker(), await make.volunteer(), await make.partner()

    told = await worker.client.get("/api/v1/cells/names")
    closed = [(await one.client.get("/api/v1/cells/names")).status_code for one in (volunteer, partner)]
    await make.cell(NEIGHBOUR)
    later = (await worker.client.get("/api/v1/cells/names")).json()["cells"]

    assert [one["code"] for one in told.json()["cells"]] == [OTHER_COMMUNITY + "001", CELL]
    assert all(set(one) == {"code", "name"} and one["name"] for one in later)
    assert [one["code"] for one in later] == [OTHER_COMMUNITY + "001", CELL, NEIGHBOUR]
    assert closed == [403, 403]


async def test_a_volunteer_has_no_part_in_the_grid(make):
    volunteer = await make.account((Role.volunteer, COMMUNITY))

    answers = [await volunteer.client.get(f"/api/v1/{path}") for path in ("cells", f"cells/{CELL}")]

    assert {answer.json()["code"] for answer in answers} == {"role_not_allowed"}


# Places


async def test_a_place_is_found_in_either_system(make):
    await make.cell()
    worker = await make.worker()

    plain = await locate(worker, *middle_of(CELL))
    shifted = await locate(worker, *to_gcj02(*middle_of(CELL)), crs="gcj02")
    mixed = await locate(worker, *to_gcj02(*middle_of(CELL)), crs="wgs84")

    assert plain.json()["cell_code"] == shifted.json()["cell_code"] == CELL
    assert shifted.json()["lon"] == pytest.approx(plain.json()["lon"], abs=1e-8)
    assert mixed.json()["code"] == "outside_cells"


async def test_a_point_on_a_shared_edge_goes_to_the_lower_code(make):
    for code in (NEIGHBOUR, CELL):
        await make.cell(code)
    lon, lat = corner_of(NEIGHBOUR)

    answer = await locate(await make.admin(), lon, lat + PLOT / 2)

    assert answer.json()["cell_code"] == CELL


async def test_a_special_cell_has_no_places_of_its_own(make):
    await make.cell(COMMUNITY + "009", kind=CellKind.special)

    answer = await locate(await make.admin(), *middle_of(COMMUNITY + "009"))

    assert answer.json()["code"] == "outside_cells"


async def test_a_worker_may_ask_beyond_his_cell_and_another_system_may_not(make):
    for code in (CELL, NEIGHBOUR):
        await make.cell(code)
    worker, partner = await make.worker(CELL), await make.partner(CELL)

    of_worker = await locate(worker, *middle_of(NEIGHBOUR))
    of_partner = await locate(partner, *middle_of(NEIGHBOUR))
    own = await locate(partner, *middle_of(CELL))

    assert of_worker.json()["cell_code"] == NEIGHBOUR
    assert (of_partner.status_code, of_partner.json()["code"]) == (403, "area_not_allowed")
    assert own.json()["cell_code"] == CELL


async def test_a_changed_boundary_counts_at_once(make):
    await make.cell()
    worker = await make.worker(COMMUNITY)
    lon, lat = middle_of(CELL)[0], corner_of(CELL)[1] + PLOT + 0.0002
    before = await locate(worker, lon, lat)

    body = drawn() | {"geometry": widened()}
    await worker.client.put(url(), json=body, headers={"If-Match": '"1"'})
    after = await locate(worker, lon, lat)

    assert before.json()["code"] == "outside_cells"
    assert after.json()["cell_code"] == CELL


async def test_a_boundary_changed_by_another_process_counts_too(make, database):
    # Plain SQL stands for the other process: nothing in this one's memory is told of the change.
    await make.cell()
    worker = await make.worker()

    async def rename(tx):
        await tx.conn.execute("UPDATE cell SET name = '改名网格'")

    async def rename_with_version(tx):
        await rename(tx)
        await queries.set_grid_version(tx.conn, COUNTY, uuid4())

    names = [(await locate(worker, *middle_of(CELL))).json()["cell_name"]]
    for change in (rename, rename_with_version):
        await database.run(system_caller(COUNTY), change)
        names.append((await locate(worker, *middle_of(CELL))).json()["cell_name"])

    assert names[-1] == "改名网格"
    assert names[:2] == ["第三网格", "第三网格"]  # the control: without a new version the map in memory stays


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"lon": 116.4, "lat": 39.9, "crs": "wgs84"}, 422, "outside_county"),
        ({"lon": 106.6, "lat": 33.95, "crs": "wgs84"}, 404, "outside_cells"),
        ({"lon": 106.6, "lat": 33.95}, 422, "malformed"),
        ({"lon": 106.6, "lat": 33.95, "crs": "utm"}, 422, "malformed"),
        ({"lon": "nan", "lat": 33.95, "crs": "wgs84"}, 422, "malformed"),
        ({"lon": "inf", "lat": 33.95, "crs": "gcj02"}, 422, "malformed"),
        ({"lon": 106.6, "lat": "9" * 400, "crs": "wgs84"}, 422, "malformed"),
        ({"lon": "东\x00", "lat": 33.95, "crs": "wgs84"}, 422, "malformed"),
    ],
)
async def test_a_place_that_cannot_be_is_said_so(make, params, status, code):
    answer = await (await make.worker()).client.get("/api/v1/cells/locate", params=params)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


# Special-purpose cells, many places at once, other systems


SCHOOL = COMMUNITY + "009"


async def school(make, coordinator, **other):
    """A school over the western half of the test cell."""
    west, south = corner_of(CELL)
    middle, north = west + PLOT / 2, south + PLOT
    body = drawn(
        SCHOOL, name="凤县中学网格", kind="special", purpose="school", unit_name="凤县中学",
        geometry=ring((west, south), (middle, south), (middle, north), (west, north), (west, south)),
    ) | other  # fmt: skip
    return await coordinator.client.put(url(SCHOOL), json=body)


async def test_a_place_tells_the_special_cells_that_lie_over_its_basic_one(make):
    coordinator = await make.worker(COMMUNITY)
    await make.cell(CELL)
    made = await school(make, coordinator)
    lon, lat = middle_of(CELL)

    inside, outside = [(await locate(coordinator, lon + by, lat)).json() for by in (-PLOT / 4, PLOT / 4)]

    assert (made.json()["purpose"], made.json()["unit_name"]) == ("school", "凤县中学")
    assert inside["cell_code"] == outside["cell_code"] == CELL
    assert inside["special"] == [
        {"cell_code": SCHOOL, "cell_name": "凤县中学网格", "purpose": "school", "unit_name": "凤县中学"}
    ]
    assert outside["special"] == []


async def test_a_basic_cell_has_neither_purpose_nor_unit(make):
    coordinator = await make.worker(COMMUNITY)

    answer = await school(make, coordinator, kind="basic")

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


UNIT_CODE = "12100000400000624D"
"""Of a real university; the school here is none."""


async def test_the_code_of_a_unit_is_stored_in_capitals_and_read_back_everywhere(make):
    coordinator, phone = await make.worker(COMMUNITY), await make.worker(COMMUNITY)
    await make.cell(CELL)

    made = await school(make, coordinator, unit_code=" 12100000400000624d ")
    again = await school(make, coordinator, unit_code="１２１０００００４０００００６２４Ｄ")
    read = (await coordinator.client.get(url(SCHOOL))).json()
    listed = (await coordinator.client.get("/api/v1/cells")).json()["items"]
    drawn_on_map = (await coordinator.client.get(url(SCHOOL), headers=GEOJSON)).json()
    heard = (await phone.client.get("/api/v1/changes")).json()["items"]

    assert (made.status_code, again.status_code) == (201, 200)
    assert read == made.json() == again.json()
    assert read["unit_code"] == UNIT_CODE
    assert {one["code"]: one["unit_code"] for one in listed} == {SCHOOL: UNIT_CODE, CELL: ""}
    assert drawn_on_map["properties"]["unit_code"] == UNIT_CODE
    cells = {one["body"]["code"]: one["body"]["unit_code"] for one in heard if one["kind"] == "cell"}
    assert cells == {SCHOOL: UNIT_CODE, CELL: ""}


async def test_another_code_is_a_new_version_that_is_kept_until_it_is_taken_away(make):
    coordinator = await make.worker(COMMUNITY)
    await school(make, coordinator, unit_code=UNIT_CODE)
    body = {name: value for name, value in (await coordinator.client.get(url(SCHOOL))).json().items()
            if name in ("name", "kind", "purpose", "unit_name", "geometry")}  # fmt: skip

    missing = await coordinator.client.put(url(SCHOOL), json=body | {"unit_code": "12440300455752807L"})
    changed = await coordinator.client.put(
        url(SCHOOL), json=body | {"unit_code": "12440300455752807L"}, headers={"If-Match": '"1"'}
    )
    away = await coordinator.client.put(url(SCHOOL), json=body, headers={"If-Match": '"2"'})

    assert missing.status_code == 428
    assert (changed.json()["unit_code"], changed.json()["rev"]) == ("12440300455752807L", 2)
    assert (away.json()["unit_code"], away.json()["rev"]) == ("", 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"unit_code": UNIT_CODE[:-1] + "E"}, "统一社会信用代码对不上"),
        ({"unit_code": "0" * 18}, "统一社会信用代码对不上"),
        ({"unit_code": UNIT_CODE[8:17]}, "统一社会信用代码对不上"),
        ({"unit_code": UNIT_CODE, "kind": "basic", "purpose": None, "unit_name": ""}, "基础网格不写单位"),
        ({"unit_code": UNIT_CODE + "4" * 100}, "太长了"),
    ],
)
async def test_a_code_that_cannot_be_the_units_is_refused_in_words_and_nothing_is_stored(make, given, words):
    coordinator = await make.worker(COMMUNITY)

    answer = await school(make, coordinator, **given)

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    [said] = answer.json()["errors"]
    assert said["pointer"] == "/unit_code"
    assert said["detail"].startswith(words)
    assert (await coordinator.client.get(url(SCHOOL))).status_code == 404


async def test_many_places_are_answered_one_by_one(make):
    worker, partner = await make.worker(), await make.partner(NEIGHBOUR)
    for code in (CELL, NEIGHBOUR):
        await make.cell(code)
    lon, lat = middle_of(CELL)
    shifted = from_wgs84(lon, lat, Crs.bd09)
    points = [
        {"lon": lon, "lat": lat, "crs": "wgs84"}, {"lon": shifted[0], "lat": shifted[1], "crs": "bd09"},
        {"lon": 0, "lat": 0, "crs": "wgs84"}, {"lon": 106.9, "lat": 33.99, "crs": "wgs84"},
        {"lon": lon + PLOT, "lat": lat, "crs": "wgs84"},
    ]  # fmt: skip

    seen, theirs = [
        (await who.client.post("/api/v1/cells/locate", json={"points": points})).json()["answers"]
        for who in (worker, partner)
    ]

    assert [one["found"] and one["found"]["cell_code"] for one in seen] == [CELL, CELL, None, None, NEIGHBOUR]
    assert [one["code"] for one in seen] == [None, None, "outside_county", "outside_cells", None]
    assert all(one["sentence"] for one in seen if one["code"])
    assert [one["code"] for one in theirs] == [
        "area_not_allowed", "area_not_allowed", "outside_county", "outside_cells", None
    ]  # fmt: skip


async def test_more_than_a_thousand_places_are_too_many_and_volunteers_ask_nothing(make):
    point = {"lon": 106.52, "lat": 33.91, "crs": "wgs84"}
    worker, volunteer = await make.worker(), await make.volunteer()

    many = await worker.client.post("/api/v1/cells/locate", json={"points": [point] * 1001})
    full = await worker.client.post("/api/v1/cells/locate", json={"points": [point] * 1000})
    refused = await volunteer.client.post("/api/v1/cells/locate", json={"points": [point]})

    assert (many.status_code, full.status_code, refused.status_code) == (422, 200, 403)


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
async def test_a_map_of_another_system_gets_boundaries_in_it_and_labelled(make, crs):
    await make.cell(CELL)
    worker = await make.worker()

    plain = (await worker.client.get(url(), params={"crs": crs})).json()
    one = (await worker.client.get(url(), params={"crs": crs}, headers=GEOJSON)).json()
    every = (await worker.client.get("/api/v1/cells", params={"crs": crs}, headers=GEOJSON)).json()
    listed = (await worker.client.get("/api/v1/cells", params={"crs": crs})).json()["items"][0]

    west = corner_of(CELL)
    for given in (plain, one, every["features"][0], listed):
        assert given["geometry"]["coordinates"][0][0] == pytest.approx(from_wgs84(*west, Crs(crs)), abs=1e-8)
    assert plain["crs_name"] == every["crs_name"] == one["properties"]["crs_name"] == listed["crs_name"] == crs


async def test_a_boundary_drawn_anew_takes_along_who_lives_on_the_ground(make):
    coordinator = await make.worker(COMMUNITY)
    cell = (await coordinator.client.put(url(), json=drawn())).json()
    lon, lat = middle_of(CELL)
    home = await make.household(CELL, position={"lon": lon + PLOT / 4, "lat": lat, "crs": "wgs84"})
    west, south = corner_of(CELL)
    middle, north = west + PLOT / 2, south + PLOT
    half = ring((west, south), (middle, south), (middle, north), (west, north), (west, south))

    await coordinator.client.put(url(), json=drawn(geometry=half), headers={"If-Match": f'"{cell["rev"]}"'})
    between = (await coordinator.client.get(f"/api/v1/households/{home.id}")).json()["area_code"]
    east = ring((middle, south), (west + PLOT, south), (west + PLOT, north), (middle, north), (middle, south))
    await coordinator.client.put(url(COMMUNITY + "005"), json=drawn(COMMUNITY + "005", geometry=east))

    after = (await coordinator.client.get(f"/api/v1/households/{home.id}")).json()["area_code"]
    # On nobody's ground it stays where it is registered, until somebody has that ground.
    assert (between, after) == (CELL, COMMUNITY + "005")
