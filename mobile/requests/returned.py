"""Reports and steps that came back: in the words they were made in, and sent once more if whoever made them says so."""

from collections.abc import Iterable
from typing import Any

from mobile.requests.effects import stepped
from mobile.store.outbox import Entry
from mobile.store.store import Store
from shared.requests import CATEGORIES, STATE_WORDS, RequestOut, RequestState
from shared.sync import OperationKind
from shared.texts import _

KINDS = frozenset({OperationKind.request_report, OperationKind.request_step})


def told(store: Store, entry: Entry) -> Iterable[tuple[str, str, str]]:
    """Label, what I wrote, and of a step where the request stands by now."""
    fields = entry.fields
    if entry.kind == OperationKind.request_step:
        now = store.entities.get(RequestOut, entry.entity_id)
        theirs = STATE_WORDS[now.state] if now else _("不在手机里了")
        return [(_("到哪一步"), STATE_WORDS[RequestState(fields["to"])], theirs), *_said(_("理由"), fields["reason"])]
    what = [(_("事项"), CATEGORIES[fields["category"]].title, "")]
    return [*what, *_said(_("在哪里"), fields["place_note"]), *_said(_("说明"), fields["detail"])]


def send_again(store: Store, entry: Entry) -> None:
    """A report as it was. A step from where the request stands now: the other one's step is not undone by it."""
    now = store.entities.get(RequestOut, entry.entity_id)
    me = store.me()
    if entry.kind == OperationKind.request_report:
        store.outbox.send_anew(entry.op_id, None)
    elif now is not None and me is not None:
        store.outbox.capture(
            OperationKind.request_step,
            now.id,
            entry.fields,
            stepped(now, RequestState(entry.fields["to"]), me),
            title=entry.title,
            replaces=entry.op_id,
            base_rev=now.rev,
            base={"state": now.state.value},
        )


def _said(label: str, words: Any) -> list[tuple[str, str, str]]:
    return [(label, str(words), "")] if words else []
