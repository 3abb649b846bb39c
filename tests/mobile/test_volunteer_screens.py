"""A volunteer's week on the real screens: asked, promised, served, and what it came to."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mobile.core.session import AppContext
from mobile.core.texts import SHANGHAI
from mobile.offers.coarse_map import plan
from shared.auth import MeOut, Role
from shared.errors import CATALOGUE, Code
from shared.matching import OfferOut, Reason, ReasonCode, TaskState
from shared.sync import OperationKind
from shared.volunteers import ServiceState
from tests.mobile.app_parts import ALL_SIZES, shown, signed_in
from tests.mobile.county import County
from tests.mobile.driver import Phone
from tests.mobile.phone_parts import MORNING, me, offer, service, task, volunteer

pytestmark = pytest.mark.display

Reach = Callable[[Phone], Awaitable[None]]
Shown = Callable[[Path], Awaitable[tuple[AppContext, Reach]]]
REASONS = [
    Reason(code=ReasonCode.free_then, text="周二上午您正好有空"),
    Reason(code=ReasonCode.near, text="走路 8 分钟就到"),
    Reason(code=ReasonCode.did_this_before, text="您陪人去过 6 次医院"),
]


def teacher() -> MeOut:
    return me(Role.volunteer, name="周老师")


def an_offer(person: MeOut, **values: Any) -> OfferOut:
    assert person.volunteer_id is not None
    return offer(person.volunteer_id, reasons=REASONS, coarse_lon=106.5163, coarse_lat=33.8988, **values)


async def asked(folder: Path, *more: OfferOut, person: MeOut | None = None) -> tuple[AppContext, County, OfferOut]:
    person = person or teacher()
    county = County(person)
    first = an_offer(person)
    ctx = await signed_in(folder, county, volunteer(person), first, *more)
    return ctx, county, first


async def stay(p: Phone) -> None:
    """The home screen is the one to be seen."""


async def show_invite(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _, _ = await asked(folder)
    return ctx, stay


async def show_decline(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _, _ = await asked(folder)
    return ctx, lambda p: p.tap("这次不行")


async def show_accepted(folder: Path) -> tuple[AppContext, Reach]:
    person = teacher()
    ctx, _, _ = await asked(folder, an_offer(person, title="送药上门", category="deliver_medicine"), person=person)
    return ctx, lambda p: p.tap("我来帮")


async def show_no_invite(folder: Path) -> tuple[AppContext, Reach]:
    person = teacher()
    return await signed_in(folder, County(person), volunteer(person)), stay


async def serving(folder: Path) -> tuple[AppContext, County]:
    person = teacher()
    county = County(person)
    start = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
    wanted = an_offer(person, starts_at=start, ends_at=start + timedelta(hours=2))
    promised = task(
        wanted,
        state=TaskState.serving,
        accepted_at=datetime(2026, 11, 22, 15, 20, tzinfo=SHANGHAI),
        checked_in_at=start + timedelta(minutes=3),
    )
    return await signed_in(folder, county, promised, at=start + timedelta(minutes=45)), county


async def show_task(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _ = await serving(folder)
    return ctx, lambda p: p.tap("任务")


async def show_hand_back(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _ = await serving(folder)

    async def reach(p: Phone) -> None:
        await p.tap("任务")
        await p.scroll_to("去不了了")
        await p.tap("去不了了")

    return ctx, reach


async def show_no_task(folder: Path) -> tuple[AppContext, Reach]:
    return await signed_in(folder, County(teacher())), lambda p: p.tap("任务")


async def show_waiting_task(folder: Path) -> tuple[AppContext, Reach]:
    ctx, _, _ = await asked(folder)

    async def reach(p: Phone) -> None:
        await p.tap("我来帮")
        await p.tap("任务")

    return ctx, reach


async def show_hours(folder: Path) -> tuple[AppContext, Reach]:
    person = teacher()
    earlier = [(6, 6), (7, 9), (8, 4), (9, 10), (10, 7)]
    rows = [
        service(person, date(2026, 11, 23), 112, ServiceState.waiting),
        service(person, date(2026, 11, 18), 70).model_copy(update={"title": "教用手机挂号"}),
        service(person, date(2026, 11, 12), 35),
        service(person, date(2026, 11, 7), 125, ServiceState.unverified).model_copy(update={"title": "打扫院子"}),
        service(person, date(2026, 11, 2), 375),
        *(service(person, date(2026, month, 9), length * 60) for month, length in earlier),
        service(person, date(2025, 11, 9), 5440),
    ]
    return await signed_in(folder, County(person), *rows), lambda p: p.tap("时长")


async def show_no_hours(folder: Path) -> tuple[AppContext, Reach]:
    return await signed_in(folder, County(teacher())), lambda p: p.tap("时长")
