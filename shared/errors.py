"""Every refusal of the API: a stable code, its HTTP status and the sentence people read (RFC 9457)."""

from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from shared.texts import _
from shared.types import WireOut, example


class Code(StrEnum):
    """Stable codes; a client may branch on them."""

    malformed = "malformed"
    body_too_large = "body_too_large"
    wrong_content_type = "wrong_content_type"
    not_signed_in = "not_signed_in"
    wrong_password = "wrong_password"
    too_many_attempts = "too_many_attempts"
    session_ended = "session_ended"
    role_not_allowed = "role_not_allowed"
    area_not_allowed = "area_not_allowed"
    not_found = "not_found"
    method_not_allowed = "method_not_allowed"
    id_taken = "id_taken"
    key_reused = "key_reused"
    stale = "stale"
    precondition_missing = "precondition_missing"
    unknown_area = "unknown_area"
    outside_county = "outside_county"
    outside_cells = "outside_cells"
    bad_geometry = "bad_geometry"
    cells_overlap = "cells_overlap"
    cell_closed = "cell_closed"
    grid_faulty = "grid_faulty"
    plan_undecided = "plan_undecided"
    plan_scheduled = "plan_scheduled"
    no_grant_here = "no_grant_here"
    duty_taken = "duty_taken"
    last_admin = "last_admin"
    id_checksum = "id_checksum"
    id_already_registered = "id_already_registered"
    no_id_on_file = "no_id_on_file"
    merged = "merged"
    one_head = "one_head"
    relations_missing = "relations_missing"
    unknown_code = "unknown_code"
    minor_protected = "minor_protected"
    nothing_sealed = "nothing_sealed"
    sealed_overlap = "sealed_overlap"
    bad_cursor = "bad_cursor"
    cursor_expired = "cursor_expired"
    household_not_here = "household_not_here"
    resident_not_here = "resident_not_here"
    in_the_future = "in_the_future"
    too_old = "too_old"
    step_not_allowed = "step_not_allowed"
    has_left = "has_left"
    edit_conflict = "edit_conflict"
    handed_over = "handed_over"
    bad_signature = "bad_signature"
    county_not_trusted = "county_not_trusted"
    reason_missing = "reason_missing"
    offer_taken = "offer_taken"
    offer_over = "offer_over"
    task_over = "task_over"
    rule_not_tried = "rule_not_tried"
    chunk_out_of_order = "chunk_out_of_order"
    wrong_hash = "wrong_hash"
    check_in_first = "check_in_first"
    certificate_expired = "certificate_expired"
    device_unknown = "device_unknown"
    device_revoked = "device_revoked"
    not_revoked = "not_revoked"
    grant_ended = "grant_ended"
    rescued = "rescued"
    not_the_author = "not_the_author"
    unknown_operation = "unknown_operation"
    client_too_old = "client_too_old"
    server_behind = "server_behind"
    import_changed_since = "import_changed_since"
    busy = "busy"
    outcome_unknown = "outcome_unknown"
    server_error = "server_error"


class Entry(NamedTuple):
    """Status and sentence of a code."""

    status: int
    sentence: str


CATALOGUE: dict[Code, Entry] = {
    Code.malformed: Entry(422, _("内容填得不对，请看标出的地方。")),
    Code.body_too_large: Entry(413, _("一次送来的内容太大了，请分几次送。")),
    Code.wrong_content_type: Entry(415, _("内容格式不对。")),
    Code.not_signed_in: Entry(401, _("请先登录。")),
    Code.wrong_password: Entry(401, _("账号或密码不对。")),
    Code.too_many_attempts: Entry(429, _("试的次数太多了，请过一会儿再试。")),
    Code.session_ended: Entry(401, _("登录已失效，请重新登录。")),
    Code.role_not_allowed: Entry(403, _("您的角色不能做这件事。")),
    Code.area_not_allowed: Entry(403, _("这个地方不归您管。")),
    Code.not_found: Entry(404, _("没有找到。")),
    Code.method_not_allowed: Entry(405, _("这个地址不支持这种操作。")),
    Code.id_taken: Entry(409, _("这个编号已经用在别的内容上了。")),
    Code.key_reused: Entry(409, _("同一个 Idempotency-Key 不能用于不同的内容。")),
    Code.stale: Entry(412, _("别人刚改过，请先看最新的内容。")),
    Code.precondition_missing: Entry(428, _("修改前请带上 If-Match，说明您改的是哪一版。")),
    Code.unknown_area: Entry(422, _("没有这个区域编码。")),
    Code.outside_county: Entry(422, _("这个位置不在本县范围内。")),
    Code.outside_cells: Entry(404, _("这个位置还没有划进任何网格。")),
    Code.bad_geometry: Entry(422, _("边界图形有问题：不能自相交，至少三个角，坐标要在范围内。")),
    Code.cells_overlap: Entry(409, _("边界和旁边的网格重叠了。")),
    Code.cell_closed: Entry(409, _("这个网格已经撤销，编码不能再用。")),
    Code.grid_faulty: Entry(422, _("边界有问题，改好再来。")),
    Code.plan_undecided: Entry(409, _("还有住户没决定归哪个网格。")),
    Code.plan_scheduled: Entry(409, _("这个社区已经有一个等生效的方案。")),
    Code.no_grant_here: Entry(409, _("这个人在这里没有授权，请先给授权。")),
    Code.duty_taken: Entry(409, _("这段时间已经有人管事了。")),
    Code.last_admin: Entry(409, _("县里至少要留一位管理员。")),
    Code.id_checksum: Entry(422, _("身份证号最后一位对不上，请对着证件再核一遍。")),
    Code.id_already_registered: Entry(409, _("这个身份证号已经登记过了。")),
    Code.no_id_on_file: Entry(404, _("还没有登记身份号码。")),
    Code.unknown_code: Entry(422, _("代码表里没有这个代码。")),
    Code.minor_protected: Entry(403, _("他还不满 18 岁，身份号码要请社区工作者或县级管理员查看。")),
    Code.nothing_sealed: Entry(404, _("没有登记这一项。")),
    Code.sealed_overlap: Entry(409, _("和已登记的时间段重叠了。")),
    Code.merged: Entry(410, _("这条登记已经并到同一个人的另一条里了，请看标出的那一条。")),
    Code.one_head: Entry(422, _("一户只有一位户主，其他人要写与户主的关系。")),
    Code.relations_missing: Entry(422, _("还有人没写与新户主的关系。")),
    Code.bad_cursor: Entry(422, _("游标无法识别，请从头读取。")),
    Code.cursor_expired: Entry(410, _("游标太旧了，请从头读取。没送出的记录不受影响。")),
    Code.household_not_here: Entry(404, _("这一户不在您的网格里。")),
    Code.resident_not_here: Entry(404, _("这一户里没有这个人。")),
    Code.in_the_future: Entry(422, _("时间比现在还晚，请检查手机的日期和时间。")),
    Code.too_old: Entry(422, _("时间太早了，请检查手机的日期和时间。")),
    Code.step_not_allowed: Entry(409, _("现在的状态不能这样做。")),
    Code.has_left: Entry(409, _("这个人已经去世或迁出，不在册了。")),
    Code.edit_conflict: Entry(409, _("别人也改了同一项。两边的内容都留着，等人来定。")),
    Code.handed_over: Entry(409, _("这一条已经归别的网格管了，您写的已转给他们核对。")),
    Code.bad_signature: Entry(422, _("移交单的签名对不上，可能被改过，请对方重新开。")),
    Code.county_not_trusted: Entry(403, _("还没有录入这个县的公钥，请县管理员先录入。")),
    Code.reason_missing: Entry(422, _("请写上理由。")),
    Code.offer_taken: Entry(409, _("已经有人答应了，谢谢您。")),
    Code.offer_over: Entry(409, _("这个邀请已经过时了，谢谢您。")),
    Code.task_over: Entry(409, _("这件事已经结束了。")),
    Code.rule_not_tried: Entry(409, _("生效前请先照原样试一试，看看会找到哪些户。")),
    Code.chunk_out_of_order: Entry(409, _("这一块接不上前面的，请看 received，从那里接着传。")),
    Code.wrong_hash: Entry(409, _("收到的照片和清单对不上，已丢掉，请从头再传。")),
    Code.check_in_first: Entry(409, _("请先签到。")),
    Code.certificate_expired: Entry(409, _("证件已经过期，不能记成看过。")),
    Code.device_unknown: Entry(403, _("这部手机还没有登记，请重新登录一次。")),
    Code.device_revoked: Entry(403, _("这部手机已被停用，请找社区管理员。")),
    Code.not_revoked: Entry(409, _("这部手机没有停用，请照常同步。")),
    Code.grant_ended: Entry(403, _("您在这里的授权已经结束。没送出的记录会交给社区核对。")),
    Code.rescued: Entry(409, _("已交给社区核对，由人来定。")),
    Code.not_the_author: Entry(403, _("记录的人没有在这部手机上登录过。")),
    Code.unknown_operation: Entry(422, _("服务器不认识这种操作，请更新应用。")),
    Code.client_too_old: Entry(426, _("请更新应用，记录都还在手机里。")),
    Code.server_behind: Entry(409, _("服务器还没更新到这一版。记录留在手机里，更新后会自动送到。")),
    Code.import_changed_since: Entry(409, _("这一批里有人已经改过或用到，不能整批撤回。")),
    Code.busy: Entry(503, _("现在忙，请稍后再试。")),
    Code.outcome_unknown: Entry(503, _("等得太久，不知道存上没有。请原样再送一次，不会重复。")),
    Code.server_error: Entry(500, _("服务器出了问题，已经记下。请稍后再试。")),
}


class FieldProblem(WireOut):
    """What is wrong with one field."""

    pointer: str = Field(description="出问题的位置（JSON Pointer）")
    detail: str = Field(description="说明")


class Problem(WireOut):
    """application/problem+json, RFC 9457."""

    model_config = example(
        {
            "type": "urn:gridhood:problem:area_not_allowed",
            "title": "这个地方不归您管。",
            "status": 403,
            "code": "area_not_allowed",
            "request_id": "5d0c1f5e0c2b4f3f9a4d",
        }
    )

    type: str = Field(description="问题类型，urn:gridhood:problem:代码")
    title: str = Field(description="给人看的一句话")
    status: int = Field(description="HTTP 状态码")
    code: Code = Field(description="稳定的错误代码")
    detail: str | None = Field(default=None, description="补充说明")
    errors: list[FieldProblem] = Field(default_factory=list, description="逐个字段的问题")
    request_id: str | None = Field(default=None, description="请求编号，报修时请提供")
