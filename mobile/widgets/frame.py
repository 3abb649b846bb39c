"""What frames a screen: headers above, section heads between, the tab bar below."""

from kivy.properties import BooleanProperty, ColorProperty, DictProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout

from mobile.widgets.fitting import Spread
from mobile.widgets.layout import Box, Row, Slotted


class Titled(Slotted, Row):
    """Children of a header stand on the right of its title."""

    title = StringProperty("")


class Header(Titled):
    """Of a tab screen: the title, a quiet `note` beside it, and one thing on the right."""

    note = StringProperty("")


class SubHeader(Titled):
    """Of a pushed screen: back, title, one thing on the right. Unbound, back asks the shell to pop the screen."""

    __events__ = ("on_back",)

    def on_back(self) -> None:
        owner = self.parent
        while owner is not None and not hasattr(owner, "back"):
            owner = owner.parent if owner.parent is not owner else None
        if owner is not None:
            owner.back()


class SectionHead(Spread):
    title = StringProperty("")
    icon = StringProperty("")
    color = ColorProperty((0, 0, 0, 1))


class Badge(Box):
    """How much waits behind a tab; nothing at all when nothing does."""

    count = NumericProperty(0)


class Tab(ButtonBehavior, BoxLayout):
    route = StringProperty("")
    text = StringProperty("")
    icon = StringProperty("")
    badge = NumericProperty(0)
    on = BooleanProperty(False)
    need_h = NumericProperty(64)


class TabBar(BoxLayout):
    """`tabs` are (route, text, icon); `badges` says for a route how much there waits for somebody."""

    tabs = ListProperty()
    badges = DictProperty()
    current = StringProperty("")

    __events__ = ("on_tab",)

    def on_tab(self, route: str) -> None:
        """Someone tapped a tab, perhaps the one already shown."""

    def on_tabs(self, *_: object) -> None:
        self.clear_widgets()
        for route, text, icon in self.tabs:
            tab = Tab(route=route, text=text, icon=icon)
            tab.fbind("on_release", lambda pressed: self.dispatch("on_tab", pressed.route))
            self.add_widget(tab)
        self.on_current()
        self.on_badges()

    def on_current(self, *_: object) -> None:
        for tab in self.children:
            tab.on = tab.route == self.current

    def on_badges(self, *_: object) -> None:
        for tab in self.children:
            tab.badge = self.badges.get(tab.route, 0)
