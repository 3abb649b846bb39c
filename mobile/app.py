"""The app with its window: every room's screens behind one shell, led by who is signed in."""

from collections.abc import Callable
from pathlib import Path

from kivy.app import App
from kivy.core.window import Window
from kivy.uix.screenmanager import Screen

from mobile import widgets
from mobile.attachments import album_screen as attachments
from mobile.auth import lock_screen
from mobile.auth import screen as auth
from mobile.core.garbage import Sweeper
from mobile.core.navigation import VOLUNTEER_TABS, WORKER_TABS, Shell
from mobile.core.session import AppContext, Session
from mobile.device.ports import Ports
from mobile.duties import screen as duties
from mobile.grid import screen as grid
from mobile.inbox import screen as inbox
from mobile.offers import screen as offers
from mobile.requests import screens as requests
from mobile.residents import screens as residents
from mobile.sync import screen as sync
from mobile.visits import screens as visits
from mobile.volunteers import screen as volunteers
from mobile.widgets.fields import TYPING
from mobile.widgets.tokens import T
from shared.texts import _

ROOMS = (auth, lock_screen, sync, inbox, residents, requests, visits, grid, duties, offers, volunteers, attachments)


def all_routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    return {route: factory for room in ROOMS for route, factory in room.routes(ctx).items()}


def build_shell(ctx: AppContext, *, animate: bool = True) -> Shell:
    """The root widget. It shows 登录 or the tabs of whoever is signed in, and follows every change of that."""
    widgets.load()
    for look in ("large", "contrast"):
        setattr(T, look, getattr(ctx.settings, look))
        ctx.settings.fbind(look, lambda _settings, on, look=look: setattr(T, look, on))
    shell = Shell(all_routes(ctx), animate=animate)
    ctx.route = lambda: shell.at
    ctx.fbind("session", lambda *_: show_session(ctx, shell))
    show_session(ctx, shell)
    lock_screen.cover_while_locked(ctx, shell)
    return shell


def show_session(ctx: AppContext, shell: Shell) -> None:
    if ctx.session is None:
        shell.use_tabs(())
        shell.push("login")
    else:
        shell.use_tabs(WORKER_TABS if ctx.session.is_worker else VOLUNTEER_TABS)
        show_checks(ctx.session, shell)


def show_checks(session: Session, shell: Shell) -> None:
    """What waits for a worker's decision is counted on the tab that leads to it."""
    if session.is_worker:
        session.checks.fbind("count", lambda _checks, count: shell.badge("me", count))
        shell.badge("me", session.checks.count)


class GridhoodApp(App):
    """邻格. Without a folder it keeps its data where the system keeps an app's."""

    title = _("邻格")

    def __init__(self, folder: Path | None, server: str, make_ports: Callable[[Path], Ports]) -> None:
        super().__init__()
        self._folder, self._server, self._make_ports = folder, server, make_ports
        self.ctx: AppContext | None = None
        self._sweeper = Sweeper()

    def build(self) -> Shell:
        # Signing in and sending need the event loop, which runs from here on.
        folder = self._folder or Path(self.user_data_dir)
        self.ctx = AppContext(folder, self._make_ports(folder), server=self._server)
        self.ctx.resume()
        # The keyboard must not hide the field that is written in.
        Window.softinput_mode = "below_target"
        dialog = self.ctx.ports.text_dialog
        TYPING.dialog = dialog if dialog.available else None
        return build_shell(self.ctx)

    def on_start(self) -> None:
        self._sweeper.start()
        Window.bind(on_resize=self._read_edges, on_minimize=self._out_of_sight, on_restore=self._in_sight)
        self._cover_window()

    def on_resume(self) -> None:
        self._cover_window()
        if self.ctx is not None:
            self.ctx.lock.came_back()
            self.ctx.away = False

    def _out_of_sight(self, *_: object) -> None:
        """A window on a desk that was put away goes on syncing."""
        if self.ctx is not None:
            self.ctx.away = True

    def _in_sight(self, *_: object) -> None:
        if self.ctx is not None:
            self.ctx.away = False

    def _cover_window(self) -> None:
        """The system may have made another window since."""
        self._read_edges()
        if self.ctx is not None:
            self.ctx.ports.privacy.hide()

    def _read_edges(self, *_: object) -> None:
        if self.ctx is not None:
            self.ctx.ports.edges.read(_keep_clear)

    def on_pause(self) -> bool:
        """The system may end the app without another word."""
        if self.ctx is not None:
            self.ctx.keep()
            self.ctx.lock.left()
            self.ctx.away = True
        return True

    def on_stop(self) -> None:
        if self.ctx is not None:
            self.ctx.keep()
        if self.root is not None:
            self.root.close()
        self._sweeper.stop()


def _keep_clear(top: float, bottom: float) -> None:
    T.inset_top, T.inset_bottom = top, bottom


async def run(app: GridhoodApp) -> None:
    """Until the window is closed; what was written stays, what was being sent is sent next time."""
    try:
        await app.async_run(async_lib="asyncio")
    finally:
        if app.ctx is not None:
            await app.ctx.close()
