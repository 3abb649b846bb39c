"""Put the demo county together. Pure: seed and day decide everything."""

from datetime import date, timedelta

from backend.demo.accounts import open_accounts
from backend.demo.ground import draw_cells
from backend.demo.homes import build_homes
from backend.demo.ids import at, mint
from backend.demo.people import settle
from backend.demo.records import Account, DemoCounty
from backend.demo.register import Register, assign, happen, link, repeat
from backend.demo.requests import ask
from backend.demo.staff import hire
from backend.demo.visits import homes_of, record_visits
from backend.demo.volunteers import recruit
from backend.demo.words.places import COUNTY

SEED = 610330
TODAY = date(2026, 11, 20)
_FOUNDED_DAYS_AGO = 130


def generate_accounts(seed: int = SEED, today: date = TODAY) -> tuple[Account, ...]:
    """Return only who can sign in, without making up the whole county around them."""
    founded = at(today - timedelta(days=_FOUNDED_DAYS_AGO), 540)
    workers, volunteers = hire(seed, founded), recruit(seed, draw_cells(seed, founded), founded)
    return tuple(open_accounts(seed, workers, volunteers, founded))


def generate(seed: int = SEED, today: date = TODAY) -> DemoCounty:
    """Return the county as it stands at the start of `today`: all visits lie before it, all wanted help after it."""
    founded = at(today - timedelta(days=_FOUNDED_DAYS_AGO), 540)
    cells = draw_cells(seed, founded)
    dwellings, households = build_homes(seed, cells, founded)
    residents = settle(seed, today, households, founded)
    workers, volunteers = hire(seed, founded), recruit(seed, cells, founded)
    homes = homes_of(households, dwellings, residents)
    visits, requests = record_visits(seed, today, homes, workers), ask(seed, today, homes, workers)
    register = Register(seed, today, residents, visits, requests)
    return DemoCounty(
        county_code=COUNTY,
        today=today,
        cells=cells,
        dwellings=tuple(dwellings),
        households=tuple(households),
        residents=tuple(residents),
        workers=tuple(workers),
        visits=tuple(visits),
        volunteers=tuple(volunteers),
        requests=tuple(requests),
        accounts=tuple(open_accounts(seed, workers, volunteers, founded)),
        duties=tuple(assign(seed, founded, [cell.code for cell in cells], workers)),
        events=tuple(happen(register, workers)),
        twins=tuple(repeat(register, founded)),
        links=tuple(link(register)),
        rule_ids=tuple(mint(register.rng, founded) for _ in range(2)),
    )
