"""After any sequence of calls the stored periods are what a day-by-day model says, and rows agree with them."""

from collections import Counter
from datetime import date, timedelta
from random import Random
from uuid import uuid4

import asyncpg
import pytest

from backend.core.clock import county_day
from backend.residents import loading
from backend.residents.loading import NewHousehold, NewResident
from shared.residents import Care, Relation, Residency, Sex
from shared.types import uuid7
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR

API = "/api/v1"
WINDOW = 60
STEPS = 14

DISAGREEING = """
WITH said AS (
    SELECT resident_id, max(value) FILTER (WHERE track = 'residency') AS residency,
           max(value) FILTER (WHERE track = 'household') AS household,
           max(value) FILTER (WHERE track = 'relation') AS rel,
           coalesce(array_agg(substr(track, 6) ORDER BY track) FILTER (WHERE track LIKE 'care:%'), '{}') AS care,
           array_agg(DISTINCT area_code) AS areas
    FROM period WHERE until_day = 'infinity' GROUP BY resident_id
)
SELECT r.id FROM resident r LEFT JOIN said s ON s.resident_id = r.id
WHERE CASE WHEN r.left_on IS NOT NULL THEN s.resident_id IS NOT NULL
      ELSE (r.residency, r.household_id::text, r.relation, ARRAY(SELECT unnest(r.care) ORDER BY 1), ARRAY[r.area_code])
           IS DISTINCT FROM (s.residency, s.household, s.rel, s.care, s.areas) END
"""
"""People whose row is not what their open periods say."""


class Known:
    """One track of one person: what holds on each day, and the days for which something was noted."""

    def __init__(self) -> None:
        self.days: dict[date, tuple[str, str]] = {}
        self.noted: set[date] = set()


class Model:
    """People by days, kept without any period."""

    def __init__(self, first: date, today: date) -> None:
        self.window = [first + timedelta(days=number) for number in range((today - first).days + 1)]
        self.tracks: dict[tuple[str, str], Known] = {}

    def track(self, person: str, track: str) -> Known:
        return self.tracks.setdefault((person, track), Known())

    def hold(self, person: str, track: str, value: str, area: str, day: date) -> None:
        known = self.track(person, track)
        until = min((noted for noted in known.noted if noted > day), default=None)
        self.put(known, (value, area), day, until)

    def put(self, known: Known, held: tuple[str, str] | None, first: date, until: date | None) -> None:
        for day in (day for day in self.window if day >= first and (until is None or day < until)):
            known.days.pop(day, None)
            if held:
                known.days[day] = held
        known.noted |= {first} | ({until} if until else set())

    def end(self, person: str, day: date) -> None:
        for (of, _track), known in self.tracks.items():
            if of == person and any(held >= day for held in known.days):
                known.noted = {noted for noted in known.noted if noted < day} | {day}
                known.days = {held: value for held, value in known.days.items() if held < day}

    def counted(self, area: str, day: date) -> tuple[int, dict[str, int], dict[str, int]]:
        found = [
            (track, known.days[day][0])
            for (_person, track), known in self.tracks.items()
            if day in known.days and known.days[day][1].startswith(area)
        ]
        by_residency = Counter(value for track, value in found if track == "residency")
        by_care = Counter(track.removeprefix("care:") for track, _ in found if track.startswith("care:"))
        return by_residency.total(), dict(by_residency), dict(by_care)


class Play:
    """Does one thing after another by the API and by the model."""

    def __init__(self, seed: int, client, model: Model, homes: dict[str, str]) -> None:
        self.dice, self.client, self.model, self.homes = Random(seed), client, model, homes
        self.area: dict[str, str] = {}
        self.care: dict[str, set[str]] = {}
        self.today = model.window[-1]

    def day(self) -> date:
        return self.dice.choice(self.model.window[1:])

    async def call(self, method: str, path: str, body: dict, **headers: str) -> dict:
        answer = await self.client.request(method, f"{API}/{path}", json=body, headers=headers)
        assert answer.status_code == 200, (path, body, answer.text)
        return answer.json()

    async def event(self, kind: str, person: str, day: date, **fields) -> str:
        number = str(uuid4())
        await self.call("PUT", f"register-events/{number}",
                        {"kind": kind, "on": str(day), "resident_ids": [person], **fields})  # fmt: skip
        return number

    async def step(self) -> None:
        person = self.dice.choice(sorted(self.area))
        await self.dice.choice([self.change, self.change, self.edit, self.correct, self.die, self.move])(person)

    async def change(self, person: str) -> None:
        kind, value = self.dice.choice([("settle", "living"), ("float", "floating")])
        day = self.day()
        await self.event(kind, person, day)
        first = min(self.model.track(person, "residency").days)
        here = self.area[person]
        self.model.hold(person, "residency", value, here, max(day, first))

    async def edit(self, person: str) -> None:
        row = await self.call("GET", f"residents/{person}", {})
        label = self.dice.choice(["alone", "frail"])
        care = sorted(self.care[person] ^ {label})
        await self.call("PATCH", f"residents/{person}", {"care": care}, **{"If-Match": f'"{row["rev"]}"'})
        if label in care:
            self.model.hold(person, f"care:{label}", "yes", self.area[person], self.today)
        else:
            self.model.put(self.model.track(person, f"care:{label}"), None, self.today, None)
        self.care[person] ^= {label}

    async def correct(self, person: str) -> None:
        first, last = sorted(self.dice.sample(self.model.window[1:], 2))
        where = self.model.track(person, "household").days
        if not all(day in where and where[day][1] == self.area[person] for day in (first, last)):
            return  # a correction of one cell's time only, so that the model stays small
        interval = {"from_day": str(first), "until_day": str(last)}
        body = {"track": "residency", "value": "away", "reason": "核对户口本", **interval}
        await self.call("PUT", f"residents/{person}/periods", body)
        self.model.put(self.model.track(person, "residency"), ("away", self.area[person]), first, last)

    async def die(self, person: str) -> None:
        if len(self.area) < 3:
            return
        day = self.day()
        await self.event("death", person, day)
        self.model.end(person, day)
        del self.area[person]

    async def move(self, person: str) -> None:
        out, there = sorted(self.day() for _ in range(2))
        area = NEIGHBOUR if self.area[person] == CELL else CELL
        row = await self.call("GET", f"residents/{person}", {})
        if out <= min(self.model.track(person, "household").days):
            return
        move = await self.event("move_out", person, out, to={"cell_code": area})
        self.model.end(person, out)
        arrived = self.dice.random() < 0.7
        body = {"arrived": arrived, "on": str(there), "household_id": self.homes[area], "residency": "registered"}
        await self.call("POST", f"moves/{move}/settle", body, **{"If-Match": '"1"'})
        since, where, value = (there, area, "registered") if arrived else (out, self.area[person], "away")
        for track, held in {"residency": value, "household": "home", "relation": "rel"}.items():
            self.model.hold(person, track, held, where, since)
        for label in row["care"]:
            self.model.hold(person, f"care:{label}", "yes", where, since)
        self.area[person] = where


async def disagreeing(database_url: str) -> list[object]:
    owner = await asyncpg.connect(database_url)
    found = [row["id"] for row in await owner.fetch(DISAGREEING)]
    await owner.close()
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_counts_of_every_day_equal_a_replay_and_rows_agree_with_periods(make, database_url, seed):
    today = county_day(make.database.clock())
    first = today - timedelta(days=WINDOW)
    homes = {area: await make.household(area) for area in (CELL, NEIGHBOUR)}
    model = Model(first, today)
    coordinator = await make.worker(COMMUNITY)
    play = Play(seed, coordinator.client, model, {area: str(home.id) for area, home in homes.items()})
    for number in range(5):
        area = (CELL, NEIGHBOUR)[number % 2]
        person = await make.resident(homes[area], name=f"王{number}", care=["alone"], relation=Relation.other)
        play.area[str(person.id)], play.care[str(person.id)] = area, {"alone"}
        for track, value in {
            "residency": "living",
            "household": "home",
            "relation": "rel",
            "care:alone": "yes",
        }.items():
            model.hold(str(person.id), track, value, area, first)
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE period SET from_day = $1", first)
    await owner.close()

    for _ in range(STEPS):
        await play.step()

    for day in [*model.window[::7], today]:
        for area in (CELL, NEIGHBOUR, COMMUNITY):
            params = {"area_code": area, "as_at": str(day)}
            found = (await coordinator.client.get(f"{API}/register/counts", params=params)).json()
            assert (found["people"], found["by_residency"], found["by_care"]) == model.counted(area, day), (area, day)
    assert await disagreeing(database_url) == []


class Rows:
    """Rows of the register by days, and who of them is one person: kept without any period."""

    def __init__(self, people: list[str], window: list[date]) -> None:
        self.window, self.into = window, dict.fromkeys(people, "")
        self.days: dict[str, dict[date, str]] = {one: {} for one in people}

    def root(self, one: str) -> str:
        return self.root(self.into[one]) if self.into[one] else one

    def place(self, one: str) -> int:
        return 1 + self.place(self.into[one]) if self.into[one] else 0

    def standing(self, day: date) -> dict[str, str]:
        """Return who was on the register on a day, each once: the nearest row to the one that was kept."""
        found: dict[str, str] = {}
        for one in sorted((one for one in self.days if day in self.days[one]), key=lambda one: (self.place(one), one)):
            found.setdefault(self.root(one), one)
        return found

    def counted(self, area: str, day: date) -> Counter[str]:
        rows = self.standing(day).values()
        return Counter(self.days[one][day].split()[1] for one in rows if self.days[one][day].startswith(area))

    def listed(self, area: str, day: date) -> set[str]:
        return {root for root, one in self.standing(day).items() if self.days[one][day].startswith(area)}


@pytest.mark.parametrize("seed", range(4))
async def test_who_was_merged_is_counted_and_listed_once_on_every_day_that_any_row_knows(make, database_url, seed):
    dice, today = Random(seed), county_day(make.database.clock())
    window = [today - timedelta(days=number) for number in range(20, -1, -1)]
    homes = {area: await make.household(area) for area in (CELL, NEIGHBOUR)}
    people = [await make.resident(homes[dice.choice([CELL, NEIGHBOUR])], name=f"王{number}") for number in range(6)]
    rows = Rows([str(one.id) for one in people], window)
    owner = await asyncpg.connect(database_url)
    await owner.execute("DELETE FROM period")
    for one in people:
        await _live(dice, owner, rows, one, homes)
    coordinator, workers = await make.worker(COMMUNITY), [await make.worker(area) for area in (CELL, NEIGHBOUR)]
    for keep, lose in dice.sample([(a, b) for a in people for b in people if a is not b], 5):
        if not rows.into[str(keep.id)] and not rows.into[str(lose.id)]:
            await _merge(coordinator, keep, lose)
            rows.into[str(lose.id)] = str(keep.id)

    assert any(rows.into.values())
    for day in window[::3]:
        for reader, area in ((coordinator, COMMUNITY), *zip(workers, (CELL, NEIGHBOUR), strict=True)):
            asked = {"area_code": area, "as_at": str(day)}
            found = (await reader.client.get(f"{API}/register/counts", params=asked)).json()
            items = (await reader.client.get(f"{API}/residents", params=asked)).json()["items"]
            assert found["by_residency"] == rows.counted(area, day), (area, day)
            assert found["people"] == len(items)
            assert {item["id"] for item in items} == rows.listed(area, day), (area, day)
            there = (await reader.client.get(f"{API}/households", params=asked)).json()["items"]
            assert (len(there), sum(one["size"] for one in there)) == (found["households"], found["people"])
    await owner.close()


async def _live(dice, owner, rows, person, homes):
    """Let a row be on the register at some times of the window, here and there."""
    cuts = sorted(dice.sample(range(len(rows.window)), 4))
    for first, last in (cuts[:2], cuts[2:]):
        area, residency = dice.choice([CELL, NEIGHBOUR]), dice.choice(["living", "floating"])
        values = {"residency": residency, "household": str(homes[area].id), "relation": "97"}
        for track, value in values.items():
            await owner.execute(
                "INSERT INTO period (county_code, id, area_code, resident_id, track, value, from_day, until_day,"
                " noted_at) VALUES ($7, gen_random_uuid(), $1, $2, $3, $4, $5, $6, now())",
                area, person.id, track, value, rows.window[first], rows.window[last], COUNTY,
            )  # fmt: skip
        for day in rows.window[first:last]:
            rows.days[str(person.id)][day] = f"{area} {residency}"


async def _merge(coordinator, keep, lose):
    pair = await coordinator.client.post(f"{API}/duplicates", json={"one": str(keep.id), "other": str(lose.id)})
    body = {"same": True, "keep": str(keep.id), "reason": "上门核过证件"}
    merged = await coordinator.client.post(f"{API}/duplicates/{pair.json()['id']}/settle", json=body)
    assert merged.status_code == 200, merged.text


async def test_people_loaded_at_once_have_their_periods_too(make, database_url):
    await make.cell()
    home = NewHousehold(uuid7(), uuid7(), CELL, "河滨小区", "3号楼", "2单元", "302", None, None)
    people = [
        NewResident(
            id=uuid7(), household_id=home.id, name="王小华", sex=Sex.female, birth_date=born, phone=None,
            relation=relation, residency=Residency.living, care=[Care.alone], id_number=None,
        )
        for relation, born in ((Relation.head, date(1950, 1, 1)), (Relation.grandchild, date(2026, 6, 1)))
    ]  # fmt: skip

    await make.run(lambda tx: loading.load(tx, make.app.state.keys, [home], people, since=date(2026, 3, 1)))

    assert await disagreeing(database_url) == []
    worker = await make.worker()
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 6, 1)]
    counts = [(await worker.client.get(f"{API}/register/counts?as_at={day}")).json()["people"] for day in days]
    assert counts == [0, 1, 2]


async def test_a_row_that_its_periods_contradict_is_found(make, database_url):
    person = await make.resident()
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE resident SET residency = 'away'")
    await owner.close()

    assert await disagreeing(database_url) == [person.id]
