"""Envelopes of the phone's push and pull. Written for other clients in openapi/sync.md."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from shared.types import AreaCode, Utc, WireIn, WireOut, example

SCHEMA = 1
"""Version of the operations this package writes."""

PUSH_LIMIT = 500
PULL_LIMIT = 1000


class OperationKind(StrEnum):
    """What a phone may ask for."""

    visit_record = "visit.record"
    offer_accept = "offer.accept"
    offer_decline = "offer.decline"
    task_hand_back = "task.hand_back"
    task_check_in = "task.check_in"
    task_check_out = "task.check_out"
    task_late = "task.late"
    volunteer_week = "volunteer.week"
    volunteer_quiet = "volunteer.quiet"
    volunteer_skills = "volunteer.skills"
    volunteer_pause = "volunteer.pause"
    household_put = "household.put"
    resident_put = "resident.put"
    resident_edit = "resident.edit"
    register_event = "register.event"
    move_settle = "move.settle"
    duplicate_settle = "duplicate.settle"
    conflict_settle = "conflict.settle"
    correction_settle = "correction.settle"
    follow_up_open = "follow_up.open"
    link_put = "link.put"
    link_edit = "link.edit"
    link_end = "link.end"
    request_report = "request.report"
    request_step = "request.step"


SchemaVersion = Annotated[int, Field(ge=1, le=1000, description="应用用的操作格式版本；不写当作第 1 版")]


class Operation(WireIn):
    """One thing done on a phone. Its author and device are fixed when it is captured."""

    op_id: UUID = Field(description="操作编号")
    schema_version: Annotated[int, Field(ge=1, le=1000)] = Field(default=SCHEMA, description="操作格式版本")
    kind: Annotated[str, Field(max_length=40)] = Field(description="操作种类")
    entity_id: UUID = Field(description="对象编号")
    author_id: UUID = Field(description="做这件事的账号")
    device_id: UUID = Field(description="设备编号")
    device_seq: Annotated[int, Field(ge=1, le=2**53)] = Field(description="本机序号，逐一递增")
    base_rev: Annotated[int, Field(ge=0, le=2**53)] | None = Field(default=None, description="修改所依据的修订号")
    base: dict[str, Any] | None = Field(default=None, description="修改前的值")
    fields: dict[str, Any] = Field(description="内容")
    made_at: Utc = Field(description="手机上的时间")


class PushIn(WireIn):
    """Operations of one device, oldest first. Each is checked on its own: a bad one never blocks its neighbours."""

    model_config = example(
        {
            "device_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e02",
            "operations": [
                {
                    "op_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01",
                    "kind": "visit.record",
                    "entity_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e03",
                    "author_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01",
                    "device_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e02",
                    "device_seq": 1,
                    "fields": {
                        "household_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01",
                        "outcome": "absent",
                        "visited_at": "2026-11-23T10:42:00+08:00",
                    },
                    "made_at": "2026-11-23T10:42:00+08:00",
                }
            ],
        }
    )

    schema_version: SchemaVersion = 1
    device_id: UUID = Field(description="设备编号")
    operations: list[dict[str, Any]] = Field(max_length=PUSH_LIMIT, description="操作，见 Operation")


class Outcome(StrEnum):
    """What became of an operation."""

    applied = "applied"
    duplicate = "duplicate"
    held = "held"
    conflict = "conflict"
    rejected = "rejected"


class Answer(WireOut):
    """The server's word on one operation."""

    op_id: UUID | None = Field(description="操作编号（读不出时为空）")
    index: int = Field(description="在这次推送里的位置，从 0 起")
    outcome: Outcome = Field(description="结果")
    code: str | None = Field(default=None, description="错误代码")
    sentence: str | None = Field(default=None, description="给人看的一句话")
    rev: int | None = Field(default=None, description="对象现在的修订号")


class PushOut(WireOut):
    """Receipt of a push: what it says is stored and committed."""

    epoch: str = Field(description="服务器纪元，恢复备份后会变")
    settled_seq: int = Field(description="本设备已处理到的序号")
    answers: list[Answer] = Field(description="逐条结果")
    server_time: Utc = Field(description="服务器时间")


class PullIn(WireIn):
    """Ask for what changed. Without a cursor everything in scope comes."""

    model_config = example({"device_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e02", "limit": 500})

    schema_version: SchemaVersion = 1
    device_id: UUID = Field(description="设备编号")
    cursor: Annotated[str, Field(max_length=8000)] | None = Field(default=None, description="上次的游标")
    limit: Annotated[int, Field(ge=1, le=PULL_LIMIT)] = Field(default=500, description="最多几条")


class EntityKind(StrEnum):
    """Kinds of rows in the feed."""

    cell = "cell"
    household = "household"
    resident = "resident"
    link = "link"
    visit = "visit"
    register_event = "register_event"
    move = "move"
    request = "request"
    volunteer = "volunteer"
    offer = "offer"
    task = "task"
    service_record = "service_record"
    correction = "correction"
    round_rule = "round_rule"
    alert = "alert"
    duplicate = "duplicate"
    due_days = "due_days"
    conflict = "conflict"


class Change(WireOut):
    """A row as it is now, or the news that it has left the caller's sight."""

    kind: EntityKind = Field(description="种类")
    id: UUID = Field(description="编号")
    area_code: str = Field(description="所属区域编码（志愿者自己的行为空）")
    gone: bool = Field(description="已经看不到了")
    body: dict[str, Any] | None = Field(description="现在的内容；gone 时为空")


class ChangesOut(WireOut):
    """A page of the feed. `more` false is the end mark: everything up to the cursor has been given."""

    epoch: str = Field(description="服务器纪元")
    items: list[Change] = Field(description="变化，按先后")
    scope_removed: list[AreaCode] = Field(description="不再属于您的区域：请删掉其中的行")
    cursor: str = Field(description="下次从这里继续；与这些行一起保存")
    more: bool = Field(description="后面还有")


class PullOut(ChangesOut):
    """A page for a phone, with what the server has settled of this device."""

    settled_seq: int = Field(description="本设备已处理到的序号")
    server_time: Utc = Field(description="服务器时间")
