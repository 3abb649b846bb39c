"""What screens are built from: the app's context, and the session of whoever is signed in."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID
from weakref import WeakSet

from kivy.clock import Clock as Frames
from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty

from mobile.attachments.album import Album
from mobile.attachments.tray import PhotoTray
from mobile.auth.lock import Lock
from mobile.auth.pins import Holder, Pins
from mobile.auth.viewmodel import LoginForm, Mine
from mobile.core.clock import Clock, local_day, system_now
from mobile.core.drafts import Draft
from mobile.core.settings import DEFAULT_SERVER, Settings
from mobile.device.ports import Ports
from mobile.duties.viewmodel import Duties
from mobile.grid.viewmodel import MyGrid
from mobile.inbox.viewmodel import Inbox
from mobile.offers.forgotten import Forgotten
from mobile.offers.task import TaskBoard
from mobile.offers.viewmodel import Invitations
from mobile.requests.detail import RequestDetail
from mobile.requests.help_form import HelpForm
from mobile.requests.report import ReportForm
from mobile.requests.todo import Reported, Todo
from mobile.residents.checks import Checks
from mobile.residents.directory import Directory
from mobile.residents.event_form import EventForm
from mobile.residents.finder import Finder
from mobile.residents.household_form import DOOR, HouseholdForm
from mobile.residents.link_form import LinkForm
from mobile.residents.person import PersonDetail
from mobile.residents.person_form import PersonForm
from mobile.residents.viewmodel import HouseholdDetail
from mobile.store.errors import NoRoom, StoreProblem
from mobile.store.opening import open_store
from mobile.store.phone import PhoneFile
from mobile.store.store import Store
from mobile.sync.client import Client
from mobile.sync.errors import Refused
from mobile.sync.rescue import Left, leave
from mobile.sync.status import SyncStatus
from mobile.sync.syncer import DEVICE_NAME, Syncer
from mobile.sync.viewmodel import SyncScreen
from mobile.visits.form import VisitForm
from mobile.visits.summary import Summary
from mobile.visits.viewmodel import Today
from mobile.volunteers.own import Own
from mobile.volunteers.quiet import Quiet
from mobile.volunteers.readiness import Readiness
from mobile.volunteers.skills import SkillNote, Skills
from mobile.volunteers.viewmodel import Hours
from mobile.volunteers.week import Week
from shared.auth import STAFF, MeOut, TokenOut
from shared.errors import Code
from shared.sync import EntityKind
from shared.texts import _
from shared.volunteers import Skill

TABS = (
    "today", "grid", "summary", "invitations", "task", "hours", "sync_screen", "mine", "chip", "checks",
    "duties", "todo", "reported", "inbox", "forgotten", "readiness",
)  # fmt: skip
SEEN_AT = {"today": "today", "grid": "grid", "summary": "summary", "duties": "duties", "mine": "me"}
"""View-models that read thousands of rows, and the only route where each is seen. Elsewhere they wait: entering their
screen refreshes them."""

BEGAN_ANEW = _("手机的设置坏了，请重新登录。记过的都还在；没送出的可能会被退回，到“同步情况”里再送一次。")
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
        self.syncer.on_revoked = lambda left: app.shut_out(self, left)
        client.on_tokens = store.keep_tokens
        self.inbox = Inbox(store, me, app.ports, app.now)
        store.on_change, store.on_capture = self._changed, self.syncer.wake
        store.on_pause = self._time_passed
        self._day, self._next_frame = local_day(app.now()), Frames.create_trigger(self._show_if_present, -1)
        self._form: VisitForm | None = None
        self._drafts: WeakSet[Draft] = WeakSet()
        if start_syncing:
            app.spawn(self.syncer.run())

    @property
    def is_worker(self) -> bool:
        return any(grant.role in STAFF for grant in self.me.grants)

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
    def forgotten(self) -> Forgotten:
        return Forgotten(self.store, self._now)

    @cached_property
    def own(self) -> Own:
        return Own(self.store, self.me)

    @cached_property
    def readiness(self) -> Readiness:
        return Readiness(self.own)

    def week(self) -> Week:
        week = Week(self.own)
        self.keeps(week, "week", week.drafted, stamp=week.rev)
        self.bind(version=week.refresh)
        return week

    def quiet(self) -> Quiet:
        return Quiet(self.own)

    def skills(self) -> Skills:
        skills = Skills(self.own, self._now)
        self.keeps(skills, "skills", skills.drafted, stamp=skills.rev)
        self.bind(version=skills.refresh)
        return skills

    def skill_note(self, skill: Skill) -> SkillNote:
        note = SkillNote(self.own, self._now, skill)
        self.keeps(note, f"skill|{skill}", ("note", "until"), stamp=note.rev)
        return note

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
    def duties(self) -> Duties:
        return Duties(self.store, self.me, self._now)

    @cached_property
    def directory(self) -> Directory:
        return Directory(self.store.entities)

    @cached_property
    def report(self) -> ReportForm:
        form = ReportForm(self.store, self.me, self._ports, self._now, self.photo_tray())
        self.keeps(form, "report", form.drafted)
        return form

    @cached_property
    def todo(self) -> Todo:
        return Todo(self.store, self._now)

    @cached_property
    def reported(self) -> Reported:
        return Reported(self.store, self._now)

    def request(self, request_id: UUID) -> RequestDetail:
        detail = RequestDetail(self.store, self.me, self._now, request_id)
        self.keeps(detail, f"step|{request_id}", detail.drafted)
        self.bind(version=detail.refresh)
        return detail

    def help_form(self, household_id: UUID) -> HelpForm:
        form = HelpForm(self.store, self.me, self._now, household_id)
        self.keeps(form, f"help|{household_id}", form.drafted)
        return form

    def finder(self, *, doors_only: bool = False) -> Finder:
        finder = Finder(self.store, self.directory, self._now, doors_only=doors_only)
        self.bind(version=finder.follow)
        return finder

    def event_form(
        self, household_id: UUID | None = None, resident_id: UUID | None = None, correction_id: UUID | None = None
    ) -> EventForm:
        form = EventForm(self.store, self.me, self._now, household_id, resident_id, correction_id)
        self.keeps(form, _draft_key("event", household_id, resident_id, correction_id), form.drafted)
        return form

    def household_form(self) -> HouseholdForm:
        form = HouseholdForm(self.store, self._ports, self._now)
        self.keeps(form, "household", ("cell", "here", *DOOR))
        self._app.spawn(form.locate())
        return form

    def person_form(
        self, household_id: UUID, resident_id: UUID | None = None, correction_id: UUID | None = None
    ) -> PersonForm:
        form = PersonForm(self.store, self._now, household_id, resident_id, correction_id)
        key = _draft_key("person", household_id, resident_id, correction_id)
        self.keeps(form, key, form.drafted, stamp=form.rev)
        return form

    def link_form(self, resident_id: UUID, link_id: UUID | None = None) -> LinkForm:
        form = LinkForm(self.store, self._now, resident_id, link_id)
        self.keeps(form, f"link|{link_id or resident_id}", form.drafted, stamp=form.rev)
        return form

    def person(self, resident_id: UUID) -> PersonDetail:
        detail = PersonDetail(self.store, self._ports, self._now, resident_id)
        self.bind(version=detail.refresh)
        return detail

    def visit_form(self, household_id: UUID) -> VisitForm:
        """A form with what was left unfinished; it looks for its place by itself."""
        self._form = VisitForm(self.store, self.me, self._ports, self._now, household_id, self.photo_tray())
        self._app.spawn(self._form.locate())
        return self._form

    def photo_tray(self) -> PhotoTray:
        """The photos of one form; the form says in its draft which they are."""
        return PhotoTray(self.store, self._ports, self._app.spawn)

    def album(self, kind: EntityKind, entity_id: UUID) -> Album:
        return Album(self.store, self.client, kind, entity_id)

    def keeps(self, form: EventDispatcher, key: str, names: Iterable[str], *, stamp: object = None) -> None:
        """Show a form's draft and keep it from now on, until its event `on_saved`. See Draft."""
        self._drafts.add(Draft(self.store, key, form, names, stamp=stamp))

    def household(self, household_id: UUID) -> HouseholdDetail:
        detail = HouseholdDetail(self.store, self._ports, self._now, household_id)
        # Kivy holds bound methods weakly: the view-model goes away with its screen.
        self.bind(version=detail.refresh)
        return detail

    def keep(self) -> None:
        if self._form is not None:
            self._form.keep_draft()
        for draft in list(self._drafts):
            draft.keep()

    def forget(self) -> None:
        """The store was wiped: nothing that was being written may come into it."""
        if self._form is not None:
            self._form.wait()
        for draft in list(self._drafts):
            draft.stop()

    def _changed(self) -> None:
        """What is quickly read is right at once. The rest is shown once for all changes of a frame; without a window
        there is no frame to wait for."""
        self._refresh(name for name in TABS if name not in SEEN_AT)
        if self._app.route is None:
            self._show()
        else:
            self._next_frame()

    def _show_if_present(self, *_: object) -> None:
        """Whoever signed out since has closed their store."""
        if self._app.session is self:
            self._show()

    def _show(self) -> None:
        self._day, at = local_day(self._now()), self._app.route and self._app.route()
        self._refresh(name for name, route in SEEN_AT.items() if at in (None, route))
        self.version += 1
        self._tell()

    def _time_passed(self) -> None:
        """Some things run out by the hour, and nearly everything looks different on another day."""
        if local_day(self._now()) != self._day:
            self._changed()
        else:
            self._refresh(name for name in TABS if name not in SEEN_AT)
            self._tell()

    def _refresh(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.__dict__:
                self.__dict__[name].refresh()

    def _tell(self) -> None:
        if not self.chip.sending:
            with suppress(NoRoom):  # it is told again when there is room
                self.inbox.tell(in_sight=self._app.in_sight)


def _draft_key(what: str, household_id: UUID | None, resident_id: UUID | None, correction_id: UUID | None) -> str:
    key = f"{what}|{household_id}|{resident_id}"
    return f"{key}|{correction_id}" if correction_id else key


class AppContext(EventDispatcher):
    """The app without a window: everything a screen needs hangs on this."""

    session = ObjectProperty(None, allownone=True)
    away = BooleanProperty(False)

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
        self.route: Callable[[], str] | None = None
        self.login = LoginForm(self.settings, self._sign_in, self.phone.get("username") or "")
        self.lock = Lock(Pins(self.phone, now), now, self._present, self._go_on_as)
        self.fbind("session", self.lock.look)

    @property
    def in_sight(self) -> bool:
        """Somebody may be looking at more than the lock."""
        return not (self.away or self.lock.locked)

    def resume(self) -> bool:
        """Go on as whoever was signed in, network or not."""
        account = self.phone.get("account")
        if account is None:
            self.login.error = BEGAN_ANEW if self.phone.began_anew else ""
            self.lock.whose_turn()
            return False
        try:
            store = self._open_store(UUID(account))
        except StoreProblem as problem:
            self.login.error = problem.sentence
            return False
        me = store.me()
        self.login.error = store.loss()
        if me is None:
            store.close()
            return False
        self._begin(store, me, self._make_client(self.settings.server, store.tokens()))
        self.lock.lock()
        return True

    def _present(self) -> Holder | None:
        return Holder(self.session.me.account_id, self.session.me.display_name) if self.session else None

    def _go_on_as(self, account_id: UUID) -> str:
        """Whoever has shown their PIN goes on with their own store and tokens, as the author of what follows.

        Their store is opened before the other one is left: if that fails, everything stays as it was.
        """
        before = self.session
        if before is not None and before.me.account_id == account_id:
            return ""
        try:
            store = self._open_store(account_id)
        except StoreProblem as problem:
            return problem.sentence
        me = store.me()
        if me is None:
            store.close()
            return _("请用账号密码登录一次。")
        self.phone.put("account", str(account_id))
        self._change_over(store, me, self._make_client(self.settings.server, store.tokens()))
        return ""

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
            self.lock.forget(session.me.account_id)
            self.spawn(_sign_out(session))
        self.phone.drop("account")
        self.lock.whose_turn()

    def shut_out(self, session: Session, left: Left) -> None:
        """This phone was revoked: its user reads what became of the rest, and starts at the sign-in again.

        Of the others who use it, too, only what was not sent stays, sealed: each hands it in at their next sign-in.
        """
        self._stop_tasks(but=asyncio.current_task())
        session.forget()
        self.session = None
        everybody = self.phone.accounts()
        self.lock.forget(*everybody)
        for other in everybody:
            if other != session.me.account_id:
                with suppress(StoreProblem), closing(self._open_store(other)) as store:
                    store.wipe(keep_unsent=True)
        self.phone.drop("account")
        self.login.error = left.sentence
        self.spawn(_close(session))

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
            me = await client.sign_in(username, password, self.phone.device_id)
            await self._register(client, me)
            self._replace_session(me, client)
        except BaseException:
            await client.close()
            raise
        self.phone.put("username", username)
        self.phone.put("account", str(me.account_id))

    async def _register(self, client: Client, me: MeOut) -> None:
        """Name this phone to the server. One that was shut out hands in what it could not hand in before."""
        try:
            await client.register(self.phone.device_id, DEVICE_NAME)
        except Refused as refusal:
            if refusal.code == Code.device_revoked and self.phone.store_path(me.account_id).exists():
                store = self._open_store(me.account_id)
                left = await leave(store, client)
                store.close()
                if left is not None:
                    raise Refused(refusal.status, refusal.code, left.sentence) from refusal
            raise

    def _replace_session(self, me: MeOut, client: Client) -> None:
        store = self._open_store(me.account_id)
        store.keep_me(me)
        if client.tokens is not None:
            store.keep_tokens(client.tokens)
        self._change_over(store, me, client)

    def _change_over(self, store: Store, me: MeOut, client: Client) -> None:
        """Go on with this store; whoever was signed in leaves theirs as it is, with what they had begun to write."""
        before = self.session
        if before is not None:
            self._stop_tasks(but=asyncio.current_task())
            before.keep()
            before.store.retire()
        self._begin(store, me, client)
        if before is not None:
            self.spawn(_close(before))

    def _begin(self, store: Store, me: MeOut, client: Client) -> None:
        self.session = Session(store, me, client, self, start_syncing=self._start_syncing)

    def _open_store(self, account_id: UUID) -> Store:
        return open_store(self.ports.keystore.key(), account_id, self.phone, self.now)

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
