"""One builder per concept, with sane defaults. Rows are made through the API's own services where there is one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from backend.auth import queries, tokens
from backend.auth.directory import CHANNEL
from backend.auth.passwords import hash_password
from backend.core.db import Database
from backend.core.scope import system_caller
from backend.core.transaction import Transaction
from backend.grid import service as grid
from backend.matching.queries import Touched
from backend.matching.service import tell_offers
from backend.matching.tick_queries import NewOffer, add_offers
from backend.requests import service as requests
from backend.residents import households
from backend.residents import queries as register
from backend.residents import service as residents
from backend.volunteers import service as volunteers
from shared.auth import Role
from shared.grid import CellIn, CellKind, CellOut
from shared.requests import RequestIn, RequestOut
from shared.residents import HouseholdIn, HouseholdOut, Relation, ResidentIn, ResidentOut
from shared.types import Crs, Position, uuid7
from shared.volunteers import Language, Skill, Slot, VolunteerIn

PASSWORD = "three words only"
COUNTY = "610330"
COMMUNITY = "610330100008"
OTHER_COMMUNITY = "610330100001"
CELL = COMMUNITY + "003"
NEIGHBOUR = COMMUNITY + "004"

PLOT = 0.002


def corner_of(code: str) -> tuple[float, float]:
    """South-west corner of a test cell: communities one above the other, their cells in a row, edge to edge."""
    return round(106.52 + PLOT * int(code[12:]), 6), round(33.91 + 0.01 * (int(code[9:12]) % 10), 6)


def middle_of(code: str) -> tuple[float, float]:
    west, south = corner_of(code)
    return west + PLOT / 2, south + PLOT / 2


def plot_of(code: str) -> dict[str, Any]:
    """GeoJSON square of a test cell."""
    west, south = corner_of(code)
    east, north = round(west + PLOT, 6), round(south + PLOT, 6)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@dataclass(frozen=True)
class Person:
    """An account with a client that is signed in as it."""

    account_id: UUID
    client: httpx.AsyncClient
    volunteer_id: UUID | None = None


class Factory:
    """Builders bound to a running app."""

    def __init__(self, app: FastAPI, client: Callable[..., httpx.AsyncClient]) -> None:
        self.app = app
        self.client = client

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    async def run(self, work: Callable[[Transaction], Any]) -> Any:
        """Do something as the county itself."""
        return await self.database.run(system_caller(COUNTY), work)

    async def account(self, *grants: tuple[Role, str], volunteer_id: UUID | None = None, name: str = "张敏") -> Person:
        account_id = uuid7()

        async def work(tx: Transaction) -> None:
            row = {
                "county_code": COUNTY, "id": account_id, "username": f"u{account_id.hex}", "display_name": name,
                "password_hash": None, "volunteer_id": volunteer_id, "created_at": tx.now,
            }  # fmt: skip
            await queries.add_account(tx.conn, row)
            for role, area in grants:
                await queries.add_grant(tx.conn, COUNTY, uuid7(), account_id, role, area, tx.now)

        await self.run(work)
        token = tokens.issue(self.app.state.keys.token, COUNTY, account_id, self.database.clock())
        return Person(account_id, self.client(Authorization=f"Bearer {token}"), volunteer_id)

    async def password(self, person: Person, username: str) -> str:
        """Give an account a name and the password of all tests to sign in with."""
        hashed = hash_password(PASSWORD)

        async def work(tx: Transaction) -> None:
            change = "UPDATE account SET username = $2, password_hash = $3 WHERE id = $1"
            await tx.conn.execute(change, person.account_id, username, hashed)
            tx.notify(CHANNEL)

        await self.run(work)
        return username

    async def admin(self) -> Person:
        return await self.account((Role.county_admin, COUNTY))

    async def worker(self, area: str = CELL, name: str = "张敏") -> Person:
        role = Role.grid_worker if len(area) == 15 else Role.community_worker
        return await self.account((role, area), name=name)

    async def auditor(self) -> Person:
        return await self.account((Role.auditor, COUNTY))

    async def partner(self, area: str = COUNTY) -> Person:
        """Another system with an API key, made the way an administrator makes one."""
        admin = await self.admin()
        made = await admin.client.post("/api/v1/api-keys", json={"name": "对接系统", "area_code": area})
        return Person(UUID(made.json()["id"]), self.client(**{"X-API-Key": made.json()["key"]}))

    async def cell(self, code: str = CELL, name: str = "第三网格", kind: CellKind = CellKind.basic) -> CellOut:
        """A square cell, edge to edge with those before and after it in its community."""
        body = CellIn(name=name, kind=kind, geometry=plot_of(code))

        async def work(tx: Transaction) -> CellOut:
            cell, _is_new = await grid.draw(tx, tx.caller, code, body, None)
            return cell

        made: CellOut = await self.run(work)
        return made

    async def household(self, cell: str = CELL, **door: Any) -> HouseholdOut:
        """A household in the middle of a cell, which is made when it is not there yet."""
        lon, lat = middle_of(cell)
        usual = {"compound": "河滨小区", "building": "3号楼", "unit": "2单元", "room": "302"}
        fields = usual | {"position": Position(lon=lon, lat=lat, crs=Crs.wgs84)} | door
        body = HouseholdIn(cell_code=cell, **fields)
        await self.cell(cell)

        async def work(tx: Transaction) -> HouseholdOut:
            return await households.add(tx, self.app.state.keys, tx.caller, uuid7(), body)

        made: HouseholdOut = await self.run(work)
        return made

    async def resident(self, household: HouseholdOut | None = None, **fields: Any) -> ResidentOut:
        """The head of a household, or somebody else of one that has a head, unless other fields say otherwise."""
        home = household or await self.household()

        async def work(tx: Transaction) -> ResidentOut:
            headed = await register.headed(tx.conn, COUNTY, [home.id])
            usual = {"name": "王小华", "relation": Relation.other if headed else Relation.head}
            body = ResidentIn(household_id=home.id, **usual | fields)
            return await residents.register(tx, self.app.state.keys, tx.caller, uuid7(), body)

        made: ResidentOut = await self.run(work)
        return made

    async def request(self, household: HouseholdOut | None = None, **fields: Any) -> RequestOut:
        """Help with the shopping for a household, unless other fields say otherwise; `at` is when it was asked."""
        at: datetime | None = fields.pop("at", None)
        home = household or await self.household()
        body = RequestIn.model_validate({"kind": "help", "category": "errand", "household_id": home.id} | fields)

        async def work(tx: Transaction) -> RequestOut:
            tx.now = at or tx.now
            return await requests.post(tx, self.app.state.keys, tx.caller, None, body)

        made: RequestOut = await self.run(work)
        return made

    async def volunteer(self, *, account: bool = True, **fields: Any) -> Person:
        """A volunteer who can do everything, at any time, and lives in the middle of the test cell."""
        lon, lat = middle_of(CELL)
        usual = {
            "name": "周丽华", "phone": "12600000001", "community_code": COMMUNITY, "skills": list(Skill),
            "home": {"lon": lon, "lat": lat, "crs": "wgs84"}, "languages": list(Language),
            "slots": [Slot(weekday=day, from_minute=0, until_minute=1440) for day in range(1, 8)],
        }  # fmt: skip
        body = VolunteerIn.model_validate(usual | fields)
        volunteer_id = uuid7()

        async def work(tx: Transaction) -> None:
            await volunteers.put(tx, self.app.state.keys, tx.caller, volunteer_id, body, None)

        await self.run(work)
        if not account:
            return Person(volunteer_id, self.client(), volunteer_id)
        return await self.account((Role.volunteer, body.community_code), volunteer_id=volunteer_id, name=body.name)

    async def offer(self, request: RequestOut, person: Person, **fields: Any) -> UUID:
        """An offer of this request to this volunteer, as a tick would make it; `minutes` is the time to answer."""
        lon, lat = middle_of(CELL)
        card = {
            "category": request.category, "title": request.title, "hint": "", "starts_at": None, "ends_at": None,
            "minutes": request.minutes, "urgency": request.urgency, "place_label": "杨家坪社区中间", "coarse_lon": lon,
            "coarse_lat": lat, "coarse_radius_m": 150, "distance_m": 100, "reasons": [],
        }  # fmt: skip
        assert person.volunteer_id is not None
        minutes = fields.pop("minutes", 30)
        offer_id, volunteer_id = uuid7(), person.volunteer_id

        async def work(tx: Transaction) -> None:
            tx.now = fields.pop("at", tx.now)
            row = NewOffer(
                id=offer_id, area_code=request.area_code, request_id=request.id, volunteer_id=volunteer_id,
                expires_at=tx.now + timedelta(minutes=minutes), score=0.5, contributions="{}", card=json.dumps(card),
            )  # fmt: skip
            await add_offers(tx.conn, tx.county, tx.now, [row])
            tell_offers(tx, [Touched(offer_id, volunteer_id, request.area_code)])

        await self.run(work)
        return offer_id


def visit_to(household_id: object, **changes: object) -> dict[str, Any]:
    """A visit's body as a phone sends it."""
    body = {"household_id": str(household_id), "outcome": "seen", "visited_at": datetime.now(UTC).isoformat()}
    return {**body, **changes}
