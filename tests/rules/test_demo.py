"""The demo county: made-up, believable, the same every time."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date, timedelta
from hashlib import sha256
from itertools import combinations, pairwise
from pathlib import Path
from uuid import UUID

import pytest
from shapely import Point, Polygon, unary_union
from shapely.geometry import shape

import backend.grid
from backend.demo import rounds
from backend.demo.generate import TODAY, generate
from backend.demo.ids import COUNTY_TIME, check_character
from backend.demo.records import MARK, Cell, DemoCounty, Request, Volunteer
from shared.auth import Role
from shared.duties import DutyRole
from shared.links import LinkKind
from shared.register import EventKind
from shared.requests import CATEGORIES, RequestKind
from shared.residents import Care, Relation, Residency, Sex
from shared.visits import VisitMode, VisitOutcome
from shared.volunteers import Language

DATA = Path(backend.grid.__file__).parent / "data"
PRINT_HASH = """
from hashlib import sha256
from backend.demo.generate import generate
print(sha256(repr(generate()).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def county() -> DemoCounty:
    return generate()


@pytest.fixture(scope="module")
def grounds(county: DemoCounty) -> dict[str, Polygon]:
    return {cell.code: Polygon(cell.ring) for cell in county.cells}


def fingerprint(county: DemoCounty) -> str:
    return sha256(repr(county).encode()).hexdigest()


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(((a[0] - b[0]) * 92_300) ** 2 + ((a[1] - b[1]) * 111_320) ** 2) ** 0.5


# --- the same every time


def test_the_same_seed_and_day_give_the_same_county_in_another_process(county):
    there = subprocess.run(
        [sys.executable, "-c", PRINT_HASH],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )

    assert there.stdout.strip() == fingerprint(county)


def test_another_seed_or_day_gives_another_county(county):
    assert len({fingerprint(c) for c in (county, generate(seed=1), generate(today=TODAY + timedelta(1)))}) == 3


def test_every_id_is_used_once_and_reads_as_version_7(county):
    lists = (county.cells, county.dwellings, county.households, county.residents, county.workers, county.visits,
             county.volunteers, county.requests, county.duties, county.events, county.twins, county.links)  # fmt: skip
    ids = [row.id for rows in lists for row in rows]

    assert len(set(ids)) == len(ids)
    assert {(i.version, i.variant) for i in ids} == {(7, "specified in RFC 4122")}
    assert all(abs(_minted(v.id) - v.visited_at.timestamp()) < 1 for v in county.visits)


def _minted(row_id: UUID) -> float:
    return (row_id.int >> 80) / 1000


def test_everything_is_marked_as_demo(county):
    assert county.mark == MARK == "演示数据"
    assert {account.mark for account in county.accounts} == {MARK}


# --- ground


def test_four_real_communities_have_six_cells_each(county):
    with (DATA / "fengxian_divisions.csv").open(encoding="utf-8") as lines:
        names = {row["code"]: row["name"] for row in csv.DictReader(lines)}

    assert Counter(c.community_code for c in county.cells) == dict.fromkeys(
        ["610330100001", "610330100007", "610330100008", "610330101003"], 6
    )
    assert [c.code[12:] for c in county.cells[:6]] == ["001", "002", "003", "004", "005", "006"]
    assert all(names[c.community_code].startswith(c.name.partition("社区")[0]) for c in county.cells)
    assert "杨家坪社区第3网格" in {c.name for c in county.cells}


def test_cells_are_valid_polygons_with_six_decimals_inside_the_county(county, grounds):
    outline = shape(json.loads((DATA / "fengxian_outline.geojson").read_text(encoding="utf-8"))["geometry"])

    assert all(g.is_valid and g.exterior.is_ccw and outline.contains(g) for g in grounds.values())
    assert all(round(n, 6) == n for cell in county.cells for point in cell.ring for n in point)


@pytest.mark.parametrize("prefix", ["6103301000", "610330101003"])
def test_cells_partition_their_ground_without_gap_or_overlap(grounds, prefix):
    parts = [ground for code, ground in grounds.items() if code.startswith(prefix)]
    union = unary_union(parts)

    assert union.geom_type == "Polygon"
    assert not union.interiors
    assert sum(part.area for part in parts) == pytest.approx(union.area, rel=1e-9)
    assert max(a.intersection(b).area for a, b in combinations(parts, 2)) == 0


def test_the_partition_check_would_see_a_vertex_moved_by_a_metre(grounds):
    """Control: one vertex of one cell moves and its neighbours do not follow."""
    whole = [ground for code, ground in grounds.items() if code.startswith("610330101003")]
    ring = list(whole[0].exterior.coords)
    union_before = unary_union(whole)
    shared = next(i for i, point in enumerate(ring[1:-1], 1) if union_before.contains(Point(point)))
    ring[shared] = ring[shared][0] + 0.00001, ring[shared][1] + 0.00001
    parts = [Polygon(ring), *whole[1:]]
    union = unary_union(parts)

    overlap = max(a.intersection(b).area for a, b in combinations(parts, 2))
    assert overlap > 0 or union.interiors


def test_neighbouring_cells_share_their_edges_exactly(county):
    """Inside a valley every edge belongs to two cells, in opposite directions, or lies on the outer border."""
    edges = Counter(edge for cell in county.cells for edge in pairwise(cell.ring))
    inner = [edge for edge in edges if edge[::-1] in edges]
    outer = [edge for edge in edges if edge[::-1] not in edges]
    border = {line: unary_union([Polygon(c.ring) for c in county.cells if _valley(c) == line]) for line in (0, 1)}

    assert set(edges.values()) == {1}
    assert len(inner) > len(outer)
    assert all(any(b.exterior.covers(Point(p)) for b in border.values()) for edge in outer for p in edge)


def _valley(cell: Cell) -> int:
    return int(cell.code.startswith("610330101"))


# --- homes and people


def test_about_two_thousand_households_live_inside_their_cells(county, grounds):
    doors = {d.id: d for d in county.dwellings}

    assert 1_900 <= len(county.households) <= 2_100
    assert len({h.dwelling_id for h in county.households}) == len(county.households)
    assert all(doors[h.dwelling_id].area_code == h.area_code for h in county.households)
    assert all(grounds[d.area_code].contains(Point(d.lon, d.lat)) for d in county.dwellings)


def test_a_cell_shows_8_to_16_entrances_far_enough_apart_to_tap(county):
    entrances = defaultdict(set)
    for d in county.dwellings:
        entrances[d.area_code].add((d.lon, d.lat))
        assert d.compound
        assert d.room

    assert all(8 <= len(places) <= 16 for places in entrances.values())
    assert all(metres(a, b) > 25 for places in entrances.values() for a, b in combinations(places, 2))
    assert any(d.building.endswith("号院") for d in county.dwellings)


def test_no_two_doors_have_the_same_address(county):
    addresses = Counter((d.area_code[:12], d.compound, d.building, d.unit, d.room) for d in county.dwellings)

    assert addresses.most_common(1)[0][1] == 1


def test_residents_are_about_5300_and_every_household_has_one_head(county):
    heads = Counter(r.household_id for r in county.residents if r.relation is Relation.head)

    assert 5_000 <= len(county.residents) <= 5_600
    assert heads == {h.id: 1 for h in county.households}
    assert len({r.relation for r in county.residents}) >= 9
    assert {r.residency for r in county.residents} == set(Residency)


def test_the_county_is_old(county):
    ages = [(TODAY - r.birth_date).days / 365.2425 for r in county.residents]

    assert 0.2 < sum(age >= 60 for age in ages) / len(ages) < 0.35
    assert 0.1 < sum(age < 15 for age in ages) / len(ages) < 0.25
    assert 0 <= min(ages) <= max(ages) < 105


def test_nobody_has_a_child_before_sixteen(county):
    born = {r.household_id: r.birth_date.year for r in county.residents if r.relation is Relation.head}

    children = [r for r in county.residents if r.relation in (Relation.son, Relation.daughter)]
    parents = [r for r in county.residents if r.relation is Relation.parent]

    assert all(r.birth_date.year - born[r.household_id] >= 16 for r in children)
    assert all(born[r.household_id] - r.birth_date.year >= 16 for r in parents)


def test_identity_numbers_check_fit_the_person_and_belong_to_no_region(county):
    numbers = [r.id_number for r in county.residents]

    assert len(set(numbers)) == len(numbers)
    for r in county.residents:
        assert r.id_number.startswith("610388")
        assert r.id_number[6:14] == f"{r.birth_date:%Y%m%d}"
        assert int(r.id_number[16]) % 2 == (r.sex is Sex.male)
        assert r.id_number[17] == check_character(r.id_number[:17])


def test_the_check_character_is_the_one_of_the_standard():
    # The two examples printed in GB 11643.
    assert check_character("11010519491231002") == "X"
    assert check_character("44052418800101001") == "4"


def test_phone_numbers_lie_in_no_assigned_range_and_are_never_shared(county):
    phones = [p.phone for p in (*county.residents, *county.workers, *county.volunteers) if p.phone]

    assert all(len(phone) == 11 and phone.isdigit() and phone.startswith("126") for phone in phones)
    assert len(set(phones)) == len(phones)


def test_some_names_have_rare_characters(county):
    assert {"喆", "堃", "珺", "玥", "昇", "㛃"} & set("".join(r.name for r in county.residents))
    assert all(2 <= len(r.name) <= 4 for r in county.residents)


def test_care_flags_have_believable_shares(county):
    flags = Counter(flag for r in county.residents for flag in r.care)
    sizes = Counter(r.household_id for r in county.residents)
    alone = [r for r in county.residents if Care.alone in r.care]

    # needs_care stands beside a sealed fact, of which a made-up county has none.
    assert set(flags) == set(Care) - {Care.needs_care}
    assert 0.15 < len({r.household_id for r in county.residents if r.care}) / len(county.households) < 0.3
    assert all(sizes[r.household_id] == 1 for r in alone)
    assert sum((TODAY - r.birth_date).days > 70 * 365 for r in alone) > 0.8 * len(alone)


# --- visits


def test_about_six_thousand_visits_lie_in_the_last_120_days_in_working_hours(county):
    assert 5_500 <= len(county.visits) <= 6_600
    assert list(county.visits) == sorted(county.visits, key=lambda v: (v.visited_at, v.id))
    for v in county.visits:
        local = v.visited_at.astimezone(COUNTY_TIME)
        assert timedelta(0) < TODAY - local.date() <= timedelta(120)
        assert 8 <= local.hour < 18


def test_visits_belong_to_households_people_and_workers_of_the_place(county):
    homes = {h.id: h.area_code for h in county.households}
    people = {r.id: r.household_id for r in county.residents}
    areas = {w.id: [g.area_code for g in w.grants] for w in county.workers}

    for v in county.visits:
        assert homes[v.household_id] == v.area_code
        assert v.resident_id is None or people[v.resident_id] == v.household_id
        assert any(v.area_code.startswith(area) for area in areas[v.worker_id])


def test_no_worker_is_at_two_doors_at_once(county):
    assert Counter((v.worker_id, v.visited_at) for v in county.visits).most_common(1)[0][1] == 1


def test_visits_have_all_modes_and_outcomes_and_a_place_except_on_the_phone(county):
    doors = {h.id: d for h, d in zip(county.households, county.dwellings, strict=True)}
    at_home = [v for v in county.visits if v.mode is VisitMode.home]
    off = [metres((v.lon, v.lat), (doors[v.household_id].lon, doors[v.household_id].lat)) for v in at_home]

    assert {v.mode for v in county.visits} == set(VisitMode)
    assert {v.outcome for v in county.visits} == set(VisitOutcome)
    assert all((v.lon is None) == (v.accuracy_m is None) == (v.mode is VisitMode.phone) for v in county.visits)
    assert sum(distance < 30 for distance in off) > 0.9 * len(off)


def _stand_on(county: DemoCounty) -> dict[str, Counter]:
    """Count per cell how many days ago households were seen, and how many are due by the usual cycles."""
    visits = defaultdict(list)
    for v in county.visits:
        visits[v.household_id].append(v)
    care = {r.household_id for r in county.residents if r.care}
    stand: dict[str, Counter] = defaultdict(Counter)
    for h in county.households:
        met = [v for v in visits[h.id] if v.outcome in (VisitOutcome.seen, VisitOutcome.family)]
        quiet = any(v.outcome in (VisitOutcome.declined, VisitOutcome.moved) for v in visits[h.id][-1:])
        ago = (county.today - met[-1].visited_at.astimezone(COUNTY_TIME).date()).days if met else None
        promised = bool(met) and met[-1].return_on is not None and met[-1].return_on <= county.today
        late = ago is None or ago >= (rounds.CARE_DAYS if h.id in care else rounds.USUAL_DAYS)
        band = "never" if ago is None else "30" if ago <= 30 else "60" if ago <= 60 else "over"
        stand[h.area_code].update([band, *["promised"] * promised, *["due"] * ((promised or late) and not quiet)])
    return stand


@pytest.mark.parametrize("day", [TODAY, date(2026, 11, 22), date(2026, 11, 23), date(2028, 2, 29)])
def test_every_cell_has_a_believable_spread_of_days_since_last_seen(day):
    county = generate(today=day)
    stand = _stand_on(county)

    assert len(stand) == 24
    for cell in stand.values():
        assert cell["30"] > cell["over"] > 0
        assert cell["60"] > 0
        assert 1 <= cell["never"] <= 5
        assert 6 <= cell["due"] <= 12
        assert cell["promised"] >= 1


def test_a_promise_names_the_weekday_it_is_for(county):
    promises = [v for v in county.visits if v.return_on and "约好" in v.note]

    assert promises
    assert all(f"周{'一二三四五六日'[v.return_on.weekday()]}" in v.note for v in promises)


# --- workers, volunteers, requests, accounts


def test_54_workers_stand_in_the_proportions_of_the_report(county):
    assert Counter(w.post for w in county.workers) == {
        "社区党支部书记、主任": 4, "副书记": 2, "副主任": 2, "社区专职工作者": 19, "协管员": 27,
    }  # fmt: skip
    assert Counter(w.source for w in county.workers) == {"公推直选": 8, "省招聘": 19, "协管员": 27}
    assert sum(w.certificate is not None for w in county.workers) == 14


def test_every_cell_has_its_own_grid_worker_and_there_are_stand_ins(county):
    own = {g.area_code for w in county.workers for g in w.grants if g.role is Role.grid_worker and not g.stand_in}
    heads = {g.area_code for w in county.workers for g in w.grants if g.role is Role.community_worker}

    assert own == {c.code for c in county.cells}
    assert heads == {c.community_code for c in county.cells}
    assert any(sum(not g.stand_in for g in w.grants) == 2 for w in county.workers)
    assert 2 <= sum(g.stand_in for w in county.workers for g in w.grants) <= 10


def test_200_volunteers_live_on_the_ground_of_their_community(county, grounds):
    assert len(county.volunteers) == 200
    for v in county.volunteers:
        assert any(g.contains(Point(v.lon, v.lat)) for c, g in grounds.items() if c.startswith(v.community_code))
        assert v.skills
        assert Language.zh in v.languages
        assert 1 <= v.capacity <= 2
        assert all(1 <= s.weekday <= 7 and 0 <= s.from_minute < s.until_minute <= 1440 for s in v.slots)
        assert len({(s.weekday, s.from_minute) for s in v.slots}) == len(v.slots) > 0


def test_sixty_requests_are_open_in_places_where_they_make_sense(county, grounds):
    doors = {h.id: (d.lon, d.lat) for h, d in zip(county.households, county.dwellings, strict=True)}
    kinds = Counter(r.kind for r in county.requests)

    assert kinds == {RequestKind.help: 42, RequestKind.incident: 14, RequestKind.matter: 4}
    assert {r.category for r in county.requests} == set(CATEGORIES) - {"electric_repair"}  # nobody has a certificate
    assert {r.urgency for r in county.requests} == {"0", "1", "2", "3"}
    for r in county.requests:
        assert CATEGORIES[r.category].kind is r.kind
        assert r.detail
        assert grounds[r.area_code].contains(Point(r.lon, r.lat))
        assert r.made_at.astimezone(COUNTY_TIME).date() < TODAY
        assert (r.household_id is None) == (r.resident_id is None) == (r.kind is RequestKind.incident)
        assert r.household_id is None or doors[r.household_id] == (r.lon, r.lat)


def test_help_is_wanted_by_day_within_the_next_days_by_a_grown_up_of_the_household(county):
    people = {r.id: r for r in county.residents}

    for r in (r for r in county.requests if r.kind is RequestKind.help):
        start, end = r.starts_at.astimezone(COUNTY_TIME), r.ends_at.astimezone(COUNTY_TIME)
        assert timedelta(0) < start.date() - TODAY <= timedelta(5)
        assert 8 <= start.hour < end.hour + 1 <= 19
        assert end - start == timedelta(minutes=r.minutes)
        assert people[r.resident_id].household_id == r.household_id
        assert (TODAY - people[r.resident_id].birth_date).days > 18 * 365


def _could(v: Volunteer, r: Request) -> bool:
    start, end = r.starts_at.astimezone(COUNTY_TIME), r.ends_at.astimezone(COUNTY_TIME)
    minutes = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    free = any(s.weekday == start.isoweekday() and s.from_minute <= minutes[0] and minutes[1] <= s.until_minute
               for s in v.slots)  # fmt: skip
    speaks = r.language is None or r.language in v.languages
    return free and speaks and CATEGORIES[r.category].skill in v.skills and (
        metres((v.lon, v.lat), (r.lon, r.lat)) <= v.radius_m)  # fmt: skip


def test_every_request_for_help_has_somebody_who_could_come(county):
    choices = [sum(_could(v, r) for v in county.volunteers) for r in county.requests if r.kind is RequestKind.help]

    assert min(choices) >= 1
    assert sum(count >= 3 for count in choices) >= 0.9 * len(choices)


def test_exactly_twelve_can_sign_in(county):
    roles = Counter(role for a in county.accounts for role in {g.role for g in a.grants})
    by_name = {a.username: a for a in county.accounts}

    assert len(by_name) == len(county.accounts) == 12
    assert roles == {"county_admin": 1, "community_worker": 4, "grid_worker": 4, "volunteer": 2, "auditor": 1}
    assert [g.area_code for g in by_name["yangjiaping03"].grants] == ["610330100008003"]
    assert {len(a.grants) for a in county.accounts if a.grants[0].role is Role.grid_worker} == {1, 2}
    assert all(a.password == f"linge-2026-{a.username}" for a in county.accounts)


def test_accounts_belong_to_the_records_they_name(county):
    workers = {w.id: w for w in county.workers}
    volunteers = {v.id: v for v in county.volunteers}

    for a in county.accounts:
        if a.worker_id:
            assert a.id == a.worker_id
            assert (a.display_name, a.grants) == (workers[a.worker_id].name, workers[a.worker_id].grants)
        if a.volunteer_id:
            volunteer = volunteers[a.volunteer_id]
            assert volunteer.name == a.display_name
            assert {s.weekday for s in volunteer.slots} == set(range(1, 8))
            assert sum(_could(volunteer, r) for r in county.requests if r.kind is RequestKind.help) >= 5


# --- the register of late


def test_every_cell_has_one_in_charge_who_holds_it_and_some_have_others(county):
    areas = {w.id: {g.area_code for g in w.grants} for w in county.workers}
    charged = [d.cell_code for d in county.duties if d.role is DutyRole.in_charge]

    assert sorted(charged) == sorted(c.code for c in county.cells)
    assert Counter(d.role for d in county.duties) == {"in_charge": 24, "informed": 8, "serving": 8}
    assert all({d.cell_code, d.cell_code[:12]} & areas[d.worker_id] for d in county.duties)


def test_the_last_months_have_seen_all_that_happens_to_people_nobody_called_on_since(county):
    people = {r.id: r for r in county.residents}
    met = {v.resident_id for v in county.visits} | {r.resident_id for r in county.requests}

    assert Counter(e.kind for e in county.events) == {"birth": 3, "death": 2, "move_in": 3, "move_out": 3}
    assert list(county.events) == sorted(county.events, key=lambda e: e.noted_at)
    for e in county.events:
        assert e.resident_id not in met
        assert e.noted_at.astimezone(COUNTY_TIME).date() == e.on < TODAY
        assert (e.newcomer is None) == (e.kind in (EventKind.death, EventKind.move_out))
        assert (e.to_cell is not None) == (e.kind is EventKind.move_out)
        assert e.to_cell != people[e.resident_id].area_code
    assert sorted((TODAY - e.on).days > 15 for e in county.events if e.to_cell) == [False, False, True]


def test_three_people_are_registered_twice_and_guardians_and_helpers_are_known(county):
    people = {r.id: r for r in county.residents}
    names = Counter((r.name, r.birth_date, r.phone) for r in (*county.residents, *county.twins))

    assert len(county.twins) == 3
    assert all(names[t.name, t.birth_date, t.phone] == 2 and not t.id_number for t in county.twins)
    assert Counter(link.kind for link in county.links) == {"guardian": 8, "helper": 8}
    for link in county.links:
        young = (TODAY - people[link.resident_id].birth_date).days < 18 * 365
        assert young == (link.kind is LinkKind.guardian)
        assert link.person_id != link.resident_id
