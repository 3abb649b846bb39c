"""What screens are built from: the app's context, and the session of whoever is signed in."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import NumericProperty, ObjectProperty

from mobile.auth.viewmodel import LoginForm, Mine
from mobile.core.clock import Clock, system_now
from mobile.core.settings import DEFAULT_SERVER, Settings
from mobile.device.ports import Ports
from mobile.grid.viewmodel import MyGrid
from mobile.offers.task import TaskBoard
from mobile.offers.viewmodel import Invitations
from mobile.residents.checks import Checks
from mobile.residents.directory import Directory
from mobile.residents.event_form import EventForm
from mobile.residents.finder import Finder
from mobile.residents.household_form import HouseholdForm
from mobile.residents.person import PersonDetail
from mobile.residents.person_form import PersonForm
from mobile.residents.viewmodel import HouseholdDetail
from mobile.store.phone import PhoneFile
from mobile.store.store import Store
from mobile.sync.client import Client
from mobile.sync.status import SyncStatus
from mobile.sync.syncer import DEVICE_NAME, Syncer
from mobile.sync.viewmodel import SyncScreen
from mobile.visits.form import VisitForm
from mobile.visits.summary import Summary
from mobile.visits.viewmodel import Today
from mobile.volunteers.viewmodel import Hours
from shared.auth import MeOut, Role, TokenOut

WORKER_ROLES = (Role.grid_worker, Role.community_worker, Role.county_admin)
TABS = ("today", "grid", "summary", "invitations", "task", "hours", "sync_screen", "mine", "chip", "checks")
log = logging.getLogger(__name__)

MakeClient = Callable[[str, TokenOut | None], Client]


class Session(EventDispatcher):
    """One account on this phone. View-models of tabs are made at first use and follow every change of the store."""

    version = NumericProperty(0)

    def __init__(
        self, store: Store, me: MeOut, client: Client, app: "AppContext", *, start_syncing: bool = True
    ) -> None:
        super().__init__()
        self.store, self.me, self.client = store, me, client
        self._app, self._ports, self._now = app, app.ports, app.now
        self.syncer = Syncer(store, client, self.chip, app.now)
        client.on_tokens = store.keep_tokens
        store.on_change, store.on_capture = self._changed, self.syncer.wake
        self._form: VisitForm | None = None
        if start_syncing:
            app.spawn(self.syncer.run())

    @property
    def is_worker(self) -> bool:
        return any(grant.role in WORKER_ROLES for grant in self.me.grants)

    @property
    def is_volunteer(self) -> bool:
        return not self.is_worker

    @cached_property
    def chip(self) -> SyncStatus:
        return SyncStatus(self.store, self._now)

    @cached_property
    def today(self) -> Today:
        return Today(self.store, self._ports, self._now)

    @cached_property
    def grid(self) -> MyGrid:
        return MyGrid(self.store, self._ports, self._now)

    @cached_property
    def summary(self) -> Summary:
        return Summary(self.store, self.me, self._ports, self._now)

    @cached_property
    def invitations(self) -> Invitations:
        return Invitations(self.store, self.me, self._ports, self._now)

    @cached_property
    def task(self) -> TaskBoard:
        return TaskBoard(self.store, self._ports, self._now)

    @cached_property
    def hours(self) -> Hours:
        return Hours(self.store, self._now)

    @cached_property
    def sync_screen(self) -> SyncScreen:
        return SyncScreen(self.store, self.chip, self._now, self.syncer.wake)

    @cached_property
    def mine(self) -> Mine:
        return Mine(self.store, self.me, self._app.settings, self._now, self._app.sign_out)

    @cached_property
    def checks(self) -> Checks:
        return Checks(self.store, self._ports, self._now)

    @cached_property
    def directory(self) -> Directory:
        return Directory(self.store.entities)

    def finder(self, *, doors_only: bool = False) -> Finder:
        finder = Finder(self.store, self.directory, self._now, doors_only=doors_only)
        self.bind(version=finder.refresh)
        return finder

    def event_form(self, household_id: UUID | None = None, resident_id: UUID | None = None) -> EventForm:
        return EventForm(self.store, self.me, self._now, household_id, resident_id)

    def household_form(self) -> HouseholdForm:
        form = HouseholdForm(self.store, self._ports, self._now)
        self._app.spawn(form.locate())
        return form

    def person_form(self, household_id: UUID, resident_id: UUID | None = None) -> PersonForm:
        return PersonForm(self.store, self._now, household_id, resident_id)

    def person(self, resident_id: UUID) -> PersonDetail:
        detail = PersonDetail(self.store, self._ports, self._now, resident_id)
        self.bind(version=detail.refresh)
        return detail

    def visit_form(self, household_id: UUID) -> VisitForm:
        """A form with what was left unfinished; it looks for its place by itself."""
        self._form = VisitForm(self.store, self.me, self._ports, self._now, household_id)
        self._app.spawn(self._form.locate())
        return self._form

    def household(self, household_id: UUID) -> HouseholdDetail:
        detail = HouseholdDetail(self.store, self._ports, self._now, household_id)
        # Kivy holds bound methods weakly: the view-model goes away with its screen.
        self.bind(version=detail.refresh)
        return detail

    def keep(self) -> None:
        if self._form is not None:
            self._form.keep_draft()

    def _changed(self) -> None:
        for name in TABS:
            if name in self.__dict__:
                self.__dict__[name].refresh()
        self.version += 1


class AppContext(EventDispatcher):
    """The app without a window: everything a screen needs hangs on this."""

    session = ObjectProperty(None, allownone=True)

    def __init__(
        self,
        folder: Path,
        ports: Ports,
        now: Clock = system_now,
        *,
        server: str = DEFAULT_SERVER,
        make_client: MakeClient = Client,
        start_syncing: bool = True,
    ) -> None:
        super().__init__()
        self.ports, self.now = ports, now
        self.phone = PhoneFile(folder)
        self.settings = Settings(self.phone, server)
        self._make_client, self._start_syncing = make_client, start_syncing
        self._tasks: set[asyncio.Task[object]] = set()
        self.login = LoginForm(self.settings, self._sign_in, self.phone.get("username") or "")

    def resume(self) -> bool:
        """Go on as whoever was signed in, network or not."""
        account = self.phone.get("account")
        if account is None:
            return False
        store = self._open_store(UUID(account))
        me = store.me()
        if me is None:
            store.close()
            return False
        self._begin(store, me, self._make_client(self.settings.server, store.tokens()))
        return True

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something on the screen's event loop. The task is held, and a failure is not lost."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def keep(self) -> None:
        """The app may be ended without another word."""
        if self.session is not None:
            self.session.keep()

    def sign_out(self) -> None:
        session = self.session
        if session is not None:
            self._stop_tasks()
            session.keep()
            session.store.sign_out()
            self.session = None
            self.spawn(_sign_out(session))
        self.phone.drop("account")

    async def close(self) -> None:
        self.keep()
        self._stop_tasks()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        session, self.session = self.session, None
        if session is not None:
            await _close(session)
        self.phone.close()

    async def _sign_in(self, username: str, password: str) -> None:
        client = self._make_client(self.settings.server, None)
        try:
            me = await client.sign_in(username, password)
            await client.register(self.phone.device_id, DEVICE_NAME)
        except BaseException:
            await client.close()
            raise
        self._replace_session(me, client)
        self.phone.put("username", username)
        self.phone.put("account", str(me.account_id))

    def _replace_session(self, me: MeOut, client: Client) -> None:
        before = self.session
        if before is not None:
            self._stop_tasks(but=asyncio.current_task())
            before.store.retire()
        store = self._open_store(me.account_id)
        store.keep_me(me)
        if client.tokens is not None:
            store.keep_tokens(client.tokens)
        self._begin(store, me, client)
        if before is not None:
            self.spawn(_close(before))

    def _begin(self, store: Store, me: MeOut, client: Client) -> None:
        self.session = Session(store, me, client, self, start_syncing=self._start_syncing)

    def _open_store(self, account_id: UUID) -> Store:
        key = self.ports.keystore.key()
        return Store(self.phone.store_path(account_id), key, account_id, self.phone, self.now)

    def _stop_tasks(self, but: asyncio.Task[Any] | None = None) -> None:
        for task in self._tasks - {but}:
            task.cancel()

    def _finished(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a task of the app failed", exc_info=problem)


async def _sign_out(session: Session) -> None:
    await session.client.sign_out()
    await _close(session)


async def _close(session: Session) -> None:
    await session.client.close()
    session.store.close()
