"""The widget kit in a real window: nothing is cut at any letter size, and everything answers a finger."""

import gc
import weakref
from pathlib import Path

import pytest
from kivy.factory import Factory
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.uix.label import Label
from kivy.uix.screenmanager import Screen
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from mobile import widgets
from mobile.core.navigation import VOLUNTEER_TABS, WORKER_TABS, Shell, shell_of
from mobile.widgets.frame import SubHeader
from mobile.widgets.layout import Box, Page
from mobile.widgets.press import Btn
from mobile.widgets.tags import StateCounter
from mobile.widgets.text import Nat, Txt
from mobile.widgets.tokens import T
from tests.mobile import sight

pytestmark = pytest.mark.display

PAGES = ["Today", "Visit", "Sync", "Invite", "Task", "Forms", "Empty"]


@pytest.fixture(scope="module", autouse=True)
def _gallery(_fonts: None) -> None:
    widgets.load()
    Builder.load_file(str(Path(__file__).parent / "gallery.kv"))


def page(name: str) -> Widget:
    return Factory.get(f"Gallery{name}")()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("scale", "large"), [(1.0, False), (1.6, False), (1.0, True), (1.6, True)])
async def test_no_word_is_cut_at_any_letter_size(phone, name: str, scale: float, large: bool) -> None:
    async with phone(lambda: page(name), scale=scale, large=large) as p:
        p.picture(f"kit-{name.lower()}-{scale}{'-large' if large else ''}")

        p.assert_nothing_clipped()
        p.assert_touch_targets()


async def test_the_check_itself_finds_a_word_that_is_cut(phone) -> None:
    def too_low() -> Widget:
        root = Page()
        root.add_widget(Label(text="看得见吗", font_size=T.sp("title"), size_hint_y=None, height=dp(12)))
        return root

    async with phone(too_low) as p:
        with pytest.raises(AssertionError, match="看得见吗"):
            p.assert_nothing_clipped()


async def test_the_check_itself_finds_a_word_outside_its_tile(phone) -> None:
    def too_narrow() -> Widget:
        root = Page()
        tile = Box(size_hint=(None, None), size=(dp(40), dp(48)))
        tile.add_widget(Nat(text="家中无人"))
        root.add_widget(tile)
        return root

    async with phone(too_narrow) as p:
        with pytest.raises(AssertionError, match="leaves its Box"):
            p.assert_nothing_clipped()


async def test_a_covered_button_cannot_be_tapped(phone) -> None:
    def covered() -> Widget:
        return Builder.load_string("FloatLayout:\n    Btn:\n        text: '保存'\n    Box:\n        fill: 1, 1, 1, 1")

    async with phone(covered) as p:
        with pytest.raises(AssertionError, match="covered"):
            await p.tap("保存")


async def test_large_print_lays_out_again_while_the_app_runs(phone) -> None:
    async with phone(lambda: page("Today")) as p:
        name = p.find("赵桂兰")
        before = name.height

        T.large = True
        await p.settle()

        assert name.height > before * 1.2
        assert p.shows("2 条没送")
        p.assert_nothing_clipped()


async def test_four_columns_become_two_when_words_do_not_fit(phone) -> None:
    async with phone(lambda: page("Sync"), scale=1.6) as p:
        first, third = p.find("手机里"), p.find("已接收")

        assert first.center_x == pytest.approx(third.center_x, abs=2)
        assert first.y > third.top


@pytest.mark.parametrize(("refused", "kind"), [(0, "grey"), (1, "refused")])
async def test_nothing_refused_is_not_red(phone, refused: int, kind: str) -> None:
    async with phone(lambda: StateCounter(refused=refused)) as p:
        box = p.find("被退回").parent

        assert (box.kind, box.fill == T.pepper) == (kind, refused > 0)
        assert box.icon == "arrow-u-up-left", "the state is told by word and icon too"


@pytest.mark.parametrize(("scale", "large"), [(1.0, False), (1.6, True)])
async def test_the_steps_of_a_task_do_not_break_a_word(phone, scale: float, large: bool) -> None:
    async with phone(lambda: page("Task"), scale=scale, large=large) as p:
        assert p.find("还没有").text == "还没有"


async def test_the_main_button_stands_on_top_when_two_do_not_fit_side_by_side(phone) -> None:
    async with phone(lambda: page("Invite"), large=True, scale=1.6) as p:
        assert p.find("我来帮").y > p.find("这次不行").top


async def test_single_choice_keeps_one_and_multiple_choice_toggles(phone) -> None:
    async with phone(lambda: page("Visit")) as p:
        again, findings = p.find(id="again"), p.find(id="findings")

        await p.tap("3 天后")
        await p.tap("3 天后")
        await p.tap("用药")
        await p.tap("身体不适")

        assert (again.chosen, findings.chosen) == (["3"], ["pills"])
        assert p.taps == 4


async def test_chinese_is_typed_into_a_field_and_a_button_reads_it(phone) -> None:
    async with phone(lambda: page("Forms")) as p:
        await p.type("杨家坪三号楼", into="账号")
        await p.tap("登录")

        assert p.find(id="account").text == "杨家坪三号楼"
        assert p.shows("收到：杨家坪三号楼")


async def test_a_password_is_hidden_until_shown(phone) -> None:
    async with phone(lambda: page("Forms")) as p:
        await p.type("m1ma", into="密码")
        field = p.find(id="password").ids.field
        assert field.password

        await p.tap("显示")

        assert not field.password
        assert field.text == "m1ma"


async def test_every_text_field_asks_android_for_a_real_keyboard(phone) -> None:
    async with phone(lambda: page("Forms")) as p:
        fields = [w for w in p.root.walk(restrict=True) if isinstance(w, TextInput)]

        assert len(fields) == 3
        assert all(field.input_type == "text" and field.keyboard_suggestions for field in fields)


async def test_an_error_band_without_words_takes_no_room(phone) -> None:
    async with phone(lambda: page("Forms")) as p:
        band = p.find(id="error")

        band.text = ""
        await p.settle()

        assert band.height == 0
        assert not p.shows("看一眼")


async def test_switch_and_tick_flip_by_their_whole_row(phone) -> None:
    async with phone(lambda: page("Forms")) as p:
        await p.tap("我看过并同意")
        await p.scroll_to("大字版")
        await p.tap("字大一些，话短一些")

        assert p.find(id="consent").on
        assert p.find(id="big").on


async def test_what_is_scrolled_away_must_be_scrolled_to_first(phone) -> None:
    async with phone(lambda: page("Forms"), scale=1.6) as p:
        with pytest.raises(AssertionError, match="scroll"):
            await p.tap("退出登录")

        await p.scroll_to("退出登录")
        await p.tap("退出登录")


class Plain(Screen):
    """A screen with a back arrow, its name, and a way on."""

    def __init__(self, title: str, onward: str = "") -> None:
        super().__init__()
        root = Page()
        header = SubHeader(title=title)
        root.add_widget(header)
        root.add_widget(Txt(raw=f"这是{title}"))
        if onward:
            root.add_widget(Btn(text=onward, on_release=lambda button: shell_of(button).push("door", number="302")))
        root.add_widget(Widget())
        self.add_widget(root)


def shell(built: list[str], *, animate: bool = False) -> Shell:
    def route(title: str, onward: str = ""):
        def make(number: str = "") -> Screen:
            built.append(title + number)
            return Plain(title + number, onward)

        return make

    titles = {"grid": "我的网格", "me": "我的资料", "door": "门牌", "offers": "求助邀请", "login": "登录"}
    routes = {"today": route("今日走访", "看门牌"), **{name: route(title) for name, title in titles.items()}}
    made = Shell(routes, animate=animate)
    made.use_tabs(WORKER_TABS)
    return made


async def test_tabs_are_built_when_first_shown_and_kept(phone) -> None:
    built: list[str] = []
    async with phone(lambda: shell(built)) as p:
        assert built == ["今日走访"]

        await p.tap("网格")
        await p.tap("今日")

        assert built == ["今日走访", "我的网格"]
        assert p.shows("这是今日走访")
        p.root.close()


@pytest.mark.parametrize("animate", [False, True])
async def test_a_pushed_screen_hides_the_tabs_and_back_returns(phone, animate: bool) -> None:
    async with phone(lambda: shell([], animate=animate)) as p:
        await p.tap("看门牌")
        assert p.shows("这是门牌302")
        assert not p.shows("网格")

        await p.press_back()

        assert (p.root.at, p.shows("网格"), p.shows("这是今日走访")) == ("today", True, True)
        assert len(p.root.manager.screens) == 1
        assert not p.root.back()
        p.root.close()


async def test_a_screen_that_was_left_is_forgotten(phone) -> None:
    left: list[weakref.ref[Screen]] = []

    def door() -> Screen:
        screen = Plain("门牌")
        left.append(weakref.ref(screen))
        return screen

    async with phone(lambda: Shell({"today": lambda: Plain("今日走访"), "door": door})) as p:
        p.root.use_tabs(WORKER_TABS[:1])
        p.root.push("door")
        await p.settle()

        await p.press_back()
        gc.collect()

        assert p.shows("这是今日走访")
        assert left[0]() is None
        p.root.close()


async def test_the_arrow_of_a_sub_header_goes_back_too(phone) -> None:
    async with phone(lambda: shell([])) as p:
        await p.tap("看门牌")
        arrow = next(w for w in sight.visible(p.root) if getattr(w, "icon", "") == "caret-left")

        await p.tap(arrow)

        assert p.root.at == "today"
        p.root.close()


async def test_another_role_gets_its_own_tabs_and_none_of_the_old_screens(phone) -> None:
    built: list[str] = []
    async with phone(lambda: shell(built)) as p:
        p.root.use_tabs(VOLUNTEER_TABS)
        await p.settle()

        assert p.shows("时长")
        assert not p.shows("网格")
        assert [screen.name.split("-")[0] for screen in p.root.manager.screens] == ["offers"]

        p.root.use_tabs(())
        p.root.push("login")
        await p.settle()

        assert p.shows("这是登录")
        assert not p.shows("时长")
        p.root.close()


async def test_a_snackbar_is_undone_once_and_then_gone(phone) -> None:
    said: list[str] = []
    async with phone(lambda: shell([])) as p:
        bar = p.root.snack("已记：家中无人", 10, lambda: said.append("undo"), lambda: said.append("end"))
        await p.settle()
        p.picture("kit-snackbar")
        p.assert_nothing_clipped()

        await p.tap("撤销")
        bar.tick()
        bar.dismiss()

        assert said == ["undo"]
        assert not p.shows("撤销")
        p.root.close()


async def test_a_snackbar_left_alone_ends_by_itself(phone) -> None:
    said: list[str] = []
    async with phone(lambda: shell([])) as p:
        bar = p.root.snack("您答应了", 2, lambda: said.append("undo"), lambda: said.append("end"))

        bar.tick()
        assert said == []
        bar.tick()
        await p.settle()

        assert said == ["end"]
        assert not p.shows("您答应了")
        p.root.close()


async def test_a_count_that_comes_when_the_tabs_are_shown_already_stands_at_its_icon(phone) -> None:
    async with phone(lambda: shell([])) as p:
        p.root.badge("me", 7)
        await p.settle()
        [number] = [w for w in sight.visible(p.root) if isinstance(w, Label) and w.text == "7"]
        bar, top = p.root.tab_bar, number.to_window(0, number.center_y)[1] + dp(10)

        assert bar.y < top < bar.to_window(0, bar.top)[1]
