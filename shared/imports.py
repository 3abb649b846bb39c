"""Spreadsheets on their way into the register: what was read, what is wrong with it, what came of it."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from shared.texts import _
from shared.types import AreaCode, Utc, WireIn, WireOut, example


class ImportState(StrEnum):
    """How far a sheet has come. The `to_` states wait for the background worker."""

    received = "received"
    checking = "checking"
    checked = "checked"
    to_store = "to_store"
    storing = "storing"
    stored = "stored"
    to_undo = "to_undo"
    undoing = "undoing"
    undone = "undone"
    failed = "failed"
    cancelled = "cancelled"


IMPORT_WORDS = {
    ImportState.received: _("收到，等着核对"),
    ImportState.checking: _("正在核对"),
    ImportState.checked: _("核对完了，等您决定"),
    ImportState.to_store: _("等着入库"),
    ImportState.storing: _("正在入库"),
    ImportState.stored: _("已入库"),
    ImportState.to_undo: _("等着撤回"),
    ImportState.undoing: _("正在撤回"),
    ImportState.undone: _("已撤回"),
    ImportState.failed: _("没有做成"),
    ImportState.cancelled: _("已取消"),
}

BUSY = frozenset({
    ImportState.received, ImportState.checking, ImportState.to_store, ImportState.storing, ImportState.to_undo,
    ImportState.undoing,
})  # fmt: skip
"""States in which the background worker has something to do."""


class Known(StrEnum):
    """What becomes of somebody who is on the register already and whose row says something else."""

    keep = "keep"
    update = "update"


KNOWN_WORDS = {Known.keep: _("只列出"), Known.update: _("按表更新")}


class Column(StrEnum):
    """What a column of a sheet can mean."""

    name = "name"
    id_number = "id_number"
    sex = "sex"
    birth_date = "birth_date"
    ethnicity = "ethnicity"
    relation = "relation"
    head_name = "head_name"
    household_no = "household_no"
    phone = "phone"
    compound = "compound"
    building = "building"
    unit = "unit"
    room = "room"
    address = "address"
    registered_place = "registered_place"
    residency = "residency"
    marital = "marital"
    education = "education"
    political = "political"
    employment = "employment"
    occupation = "occupation"
    cell = "cell"
    lon = "lon"
    lat = "lat"
    note = "note"
    care = "care"
    care_alone = "care:alone"
    care_left_behind = "care:left_behind"
    care_empty_nest = "care:empty_nest"
    care_bereaved = "care:bereaved"
    care_veteran = "care:veteran"
    care_minor_alone = "care:minor_alone"
    disability = "disability"
    disability_grade = "disability:grade"
    poverty = "poverty"
    subsistence = "poverty:2"


COLUMN_WORDS = {
    Column.name: _("姓名"),
    Column.id_number: _("公民身份号码"),
    Column.sex: _("性别"),
    Column.birth_date: _("出生日期"),
    Column.ethnicity: _("民族"),
    Column.relation: _("与户主关系"),
    Column.head_name: _("户主姓名"),
    Column.household_no: _("户号"),
    Column.phone: _("电话"),
    Column.compound: _("小区"),
    Column.building: _("楼号"),
    Column.unit: _("单元"),
    Column.room: _("门牌"),
    Column.address: _("现住址"),
    Column.registered_place: _("户籍地"),
    Column.residency: _("人员状态"),
    Column.marital: _("婚姻状况"),
    Column.education: _("文化程度"),
    Column.political: _("政治面貌"),
    Column.employment: _("从业状况"),
    Column.occupation: _("职业"),
    Column.cell: _("网格"),
    Column.lon: _("经度"),
    Column.lat: _("纬度"),
    Column.note: _("备注"),
    Column.care: _("关爱标签"),
    Column.care_alone: _("独居"),
    Column.care_left_behind: _("留守"),
    Column.care_empty_nest: _("空巢"),
    Column.care_bereaved: _("失独"),
    Column.care_veteran: _("退役军人"),
    Column.care_minor_alone: _("无人照看"),
    Column.disability: _("残疾"),
    Column.disability_grade: _("残疾等级"),
    Column.poverty: _("困难类别"),
    Column.subsistence: _("低保"),
}


class ColumnOut(WireOut):
    """A column of the sheet and what it is taken for."""

    header: str = Field(description="表头")
    means: Column | None = Field(description="当作哪一项；空表示不读")


class ImportCounts(WireOut):
    """Rows of a sheet by what becomes of them."""

    add: int = Field(default=0, description="新增（核对时：将新增；入库后：已新增）")
    same: int = Field(default=0, description="库里已有，一样")
    differs: int = Field(default=0, description="库里已有，内容不同：列出来请人定的")
    can_update: int = Field(default=0, description="库里已有，选“按表更新”会改的")
    updated: int = Field(default=0, description="已按表更新")
    refused: int = Field(default=0, description="不能入库")
    warned: int = Field(default=0, description="可以入库，但有要核对的地方")
    undone: int = Field(default=0, description="已撤回")
    restored: int = Field(default=0, description="按表更新过、撤回时改回去的")
    kept: int = Field(default=0, description="入库后有人改过，没有撤回")


class ImportOut(WireOut):
    """A sheet on its way into the register."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="归哪里：没写网格的人放在这里")
    file_name: str = Field(description="文件名")
    sheet: str = Field(description="工作表")
    made_by: str = Field(description="谁导入的")
    known: Known = Field(description="库里已有的人和表里不一样时：keep 只列出，update 按表更新")
    state: ImportState = Field(description="进展")
    done: int = Field(description="已处理行数")
    total: int | None = Field(description="总行数；还没读完时为空")
    columns: list[ColumnOut] = Field(description="各列当作哪一项")
    counts: ImportCounts = Field(description="各有多少行")
    problem: str = Field(description="没有做成的原因")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")
    finished_at: Utc | None = Field(description="这一步做完的时间")


class Grade(StrEnum):
    """How bad a finding about a row is."""

    refused = "refused"
    warned = "warned"
    differs = "differs"
    changed = "changed"


class IssueOut(WireOut):
    """What was found about one cell of one row."""

    row: int = Field(description="行号，和表格软件里的一样")
    grade: Grade = Field(description="refused 不能入库，warned 请核对，differs 和库里的不同，changed 已按表更新")
    column: str = Field(description="哪一列（表头）")
    words: str = Field(description="怎么了")
    value: str = Field(description="读到的内容；证件号和电话只留头尾")


class MappingIn(WireIn):
    """What the columns mean, in the order of the sheet. It is remembered for the next sheet with the same headers."""

    model_config = example({"columns": ["name", "id_number", "sex", None, "phone", "room"]})

    columns: list[Column | None] = Field(max_length=200, description="每列当作哪一项；空表示不读")


class StoreIn(WireIn):
    """What to do with people whom the register knows otherwise."""

    model_config = example({"known": "update"})

    known: Known = Field(
        default=Known.keep,
        description="keep 只列出；update 按表更新。身份证号、户主、网格、去世和迁出、残疾、困难类别总由人来定",
    )


class UndoIn(WireIn):
    """Whether to undo the rest when some rows were changed since."""

    model_config = example({"rest": False})

    rest: bool = Field(default=False, description="有人改过的留下，其余撤回")
