"""What a person could see and reach: visible widgets, their words, what covers what, and what is cut off."""

import re
from collections.abc import Iterator
from itertools import combinations

from kivy.core.window import Window
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.layout import Layout
from kivy.uix.screenmanager import Screen
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from mobile.widgets.fields import Input
from mobile.widgets.frame import TabBar
from mobile.widgets.layout import Band, Box, Circ, Gap, Page, Sheet
from mobile.widgets.text import Ico, Txt
from mobile.widgets.tokens import T

Rect = tuple[float, float, float, float]
# Rounding of textures and half pixels; a real cut is far larger.
SLACK = 2


def visible(root: Widget) -> Iterator[Widget]:
    """Parents before children, first added first, without what is transparent or has no size."""
    if root.opacity == 0 or (not root.children and (root.width <= 0 or root.height <= 0)):
        return
    yield root
    for child in reversed(root.children):
        yield from visible(child)


def ancestors(widget: Widget) -> Iterator[Widget]:
    owner = widget.parent
    while owner is not None and owner is not owner.parent and owner is not Window:
        yield owner
        owner = owner.parent


def words(widget: Widget) -> str:
    if isinstance(widget, Txt):
        return str(widget.raw)
    if isinstance(widget, Input):
        return str(widget.label)
    if isinstance(widget, Label) and widget.markup:
        return re.sub(r"\[[^\]]*\]", "", widget.text)
    return str(getattr(widget, "text", "") or getattr(widget, "title", ""))


def matches(root: Widget, text: str) -> Iterator[Widget]:
    """Buttons and rows that say exactly this, then labels that do, then whatever contains it."""
    seen = [w for w in visible(root) if words(w) and not isinstance(w, TextInput)]
    # A button's own label says the same words: the button stands for both.
    exact = [w for w in seen if words(w) == text and not any(words(a) == text for a in ancestors(w))]
    fields = [w.ids.field for w in exact if isinstance(w, Input)]
    yield from fields
    yield from (w for w in exact if isinstance(w, ButtonBehavior))
    yield from (w for w in exact if not isinstance(w, ButtonBehavior | Input))
    if not exact:
        yield from (w for w in seen if isinstance(w, Label) and text in words(w))


def fingerprint(root: Widget) -> str:
    return repr([(w.x, w.y, w.width, w.height, w.opacity) for w in root.walk(restrict=True)])


def rect(widget: Widget) -> Rect:
    """In window pixels. Label textures, not label boxes, are what can be seen of a word."""
    x, y = widget.to_window(widget.x, widget.y)
    right, top = widget.to_window(widget.right, widget.top)
    return x, y, right, top


def seen_rect(widget: Widget) -> Rect | None:
    """What is left of it inside every ScrollView around it; None when it is scrolled away."""
    x, y, right, top = rect(widget)
    for owner in ancestors(widget):
        if isinstance(owner, ScrollView):
            ox, oy, oright, otop = rect(owner)
            x, y, right, top = max(x, ox), max(y, oy), min(right, oright), min(top, otop)
    return (x, y, right, top) if right - x > 1 and top - y > 1 else None


def middle(widget: Widget) -> tuple[float, float]:
    """The middle of what can be seen of it."""
    box = seen_rect(widget)
    if box is None:
        raise AssertionError(f"{words(widget)!r} is scrolled out of sight: scroll_to it first")
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def touch_point(widget: Widget) -> tuple[float, float]:
    """Its middle, or its own words when something else to press lies in the middle, such as a link in a sentence."""
    for place in (widget, *(w for w in visible(widget) if isinstance(w, Label) and words(w) == words(widget))):
        point = middle(place)
        top = _topmost(Window.children, *point)
        pressed = next((w for w in (top, *ancestors(top)) if isinstance(w, ButtonBehavior)), None) if top else None
        if pressed is widget:
            return point
    return middle(widget)


def assert_can_be_touched(widget: Widget, x: float, y: float) -> None:
    if not (0 <= x < Window.width and 0 <= y < Window.height):
        raise AssertionError(f"{words(widget)!r} is outside the window")
    top = _topmost(Window.children, x, y)
    family = {id(w) for w in (*ancestors(widget), *widget.walk(restrict=True))}
    if top is not None and id(top) not in family:
        raise AssertionError(f"{words(widget)!r} is covered by {type(top).__name__} {words(top)!r}")


def _topmost(children: list[Widget], x: float, y: float) -> Widget | None:
    for child in children:
        if child.opacity == 0 or not child.collide_point(*child.parent.to_widget(x, y)):
            continue
        inner = _topmost(child.children, x, y)
        if inner is not None:
            return inner
        if not _see_through(child):
            return child
    return None


def _see_through(widget: Widget) -> bool:
    if isinstance(widget, Label):
        return not widget.text
    if type(widget) in (Widget, Gap) or isinstance(widget, Screen | ScrollView):
        return True
    return isinstance(widget, Layout) and not isinstance(widget, Box | Page | Sheet | ButtonBehavior)


def faults(root: Widget) -> list[str]:
    """Every word that is cut, leaves its parent or the window, or lies on another; every box that is too small."""
    shown = list(visible(root))
    labels = [w for w in shown if isinstance(w, Label) and w.text.strip()]
    found = [fault for label in labels for fault in _label_faults(label)]
    found += [fault for box in shown if isinstance(box, BoxLayout) for fault in _box_faults(box)]
    return found + _overlaps(labels)


def _label_faults(label: Label) -> Iterator[str]:
    name = f"{words(label)!r}" if not isinstance(label, Ico) else f"icon {label.icon!r}"
    if label.texture_size[0] > label.width + SLACK or label.texture_size[1] > label.height + SLACK:
        yield f"{name} is cut: {label.texture_size} in {label.size}"
    x, y, right, top = rect(label)
    if x < -SLACK or right > Window.width + SLACK:
        yield f"{name} leaves the window: {x:.0f}–{right:.0f} of {Window.width}"
    px, py, pright, ptop = rect(label.parent)
    if x < px - SLACK or y < py - SLACK or right > pright + SLACK or top > ptop + SLACK:
        yield f"{name} leaves its {type(label.parent).__name__}"


def _box_faults(box: BoxLayout) -> Iterator[str]:
    name = f"{type(box).__name__} {words(box)!r}"
    if box.orientation == "vertical" and box.minimum_height > box.height + SLACK:
        yield f"{name} is too low: {box.height:.0f} of {box.minimum_height:.0f}"
    if box.orientation == "horizontal" and box.minimum_width > box.width + SLACK:
        yield f"{name} is too narrow: {box.width:.0f} of {box.minimum_width:.0f}"


def _overlaps(labels: list[Label]) -> list[str]:
    boxes = [(label, box) for label in labels if (box := seen_rect(label))]
    return [
        f"{words(a)!r} lies on {words(b)!r}"
        for (a, p), (b, q) in combinations(boxes, 2)
        if min(p[2], q[2]) - max(p[0], q[0]) > 2 * SLACK and min(p[3], q[3]) - max(p[1], q[1]) > 2 * SLACK
    ]


Colour = tuple[float, ...]


def pale(root: Widget, words_least: float, icons_least: float) -> list[str]:
    """Every word and icon that stands out too little from what it is written on (WCAG 2 contrast ratio)."""
    found = []
    for label in (w for w in visible(root) if isinstance(w, Label) and w.text.strip()):
        ground = _ground(label)
        if ground is not None and not any(owner.disabled for owner in (label, *ancestors(label))):
            ratio, least = contrast(label.color, ground), icons_least if isinstance(label, Ico) else words_least
            if ratio < least:
                found.append(f"{words(label)!r} stands out by {ratio:.1f} of {least}")
    return found


def _ground(label: Label) -> Colour | None:
    """The colour under a word: that of the nearest surface. None on a drawing, which has many."""
    for owner in ancestors(label):
        if isinstance(owner, Band):
            return tuple(T.band)
        if isinstance(owner, Box | Circ) and owner.fill[3] > 0.5:
            return tuple(owner.fill)
        if isinstance(owner, Sheet | TabBar):
            return tuple(T.surface)
        if isinstance(owner, Page):
            return tuple(T.bg)
    return None


def contrast(one: Colour, other: Colour) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3])
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))
