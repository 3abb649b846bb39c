"""Which column means what: Chinese headers and their usual other spellings. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from shared.imports import Column

_SPELLINGS: Final = {
    Column.name: "姓名|居民姓名|人员姓名|人口姓名|名字",
    Column.id_number: "公民身份号码|公民身份证号码|身份证|身份证号|身份证号码"
    "|居民身份证号|居民身份证号码|证件号|证件号码",
    Column.sex: "性别",
    Column.birth_date: "出生日期|出生年月日|出生年月|生日|出生时间",
    Column.ethnicity: "民族",
    Column.relation: "与户主关系|与户主的关系|户主关系|家庭关系|和户主关系|关系|与房主关系",
    Column.head_name: "户主|户主姓名|户主名字",
    Column.household_no: "户号|户编号|家庭编号|户籍号|户口簿号|户口号|房屋编号",
    Column.phone: "联系电话|联系方式|电话|电话号码|手机|手机号|手机号码|联系手机|本人电话|移动电话",
    Column.compound: "小区|小区名称|所在小区|住宅小区|院落|小区院落|小区(院落)",
    Column.building: "楼栋|楼号|楼栋号|栋|栋号|幢|幢号|楼幢|楼",
    Column.unit: "单元|单元号",
    Column.room: "房号|门牌|门牌号|房间号|室|室号|房屋号|户室|门牌号码|房间",
    Column.address: "现住址|现居住地|居住地址|现居住地址|现住地址|地址|家庭住址|住址|详细地址|家庭地址|居住地",
    Column.registered_place: "户籍地|户籍地址|户籍所在地|户口所在地|户籍",
    Column.residency: "人员类别|人户状态|人员状态|居住状态|人口类型|人口类别|人员类型|户籍状态|居住类型",
    Column.marital: "婚姻|婚姻状况|婚姻状态|婚否",
    Column.education: "文化程度|学历|受教育程度|教育程度",
    Column.political: "政治面貌",
    Column.employment: "从业状况|就业状况|就业状态|从业状态",
    Column.occupation: "职业|职业类别|职业大类",
    Column.cell: "网格|网格编码|网格号|所属网格|所在网格|网格名称|网格代码|网格编号",
    Column.lon: "经度|lon|lng|longitude",
    Column.lat: "纬度|lat|latitude",
    Column.note: "备注|说明|备注说明",
    Column.care: "关爱标签|人员标签|标签|重点人群|特殊人群|关爱类型|关爱对象",
    Column.care_alone: "独居|是否独居|独居老人|是否独居老人",
    Column.care_left_behind: "留守|是否留守|留守儿童|留守老人|留守人员",
    Column.care_empty_nest: "空巢|是否空巢|空巢老人",
    Column.care_bereaved: "失独|是否失独|失独家庭",
    Column.care_veteran: "退役军人|是否退役军人|退伍军人",
    Column.care_minor_alone: "无人照看|困境儿童|无人照看儿童|事实无人抚养儿童",
    Column.disability: "残疾|是否残疾|残疾类别|残疾类型|残疾情况|残疾种类",
    Column.disability_grade: "残疾等级|残疾级别",
    Column.poverty: "困难类别|困难类型|贫困类别|救助类型|救助类别",
    Column.subsistence: "低保|是否低保|低保户|是否低保户|低保情况",
}  # fmt: skip

_NOISE: Final = re.compile(r"[\s*：:（）()【】\[\]、,，.。/\\_-]|必填|选填")

_BRACKETS: Final = r"()（）\[\]【】"
_FILLING_IN: Final = "[0-9位级]|格式|文本|年|男|例|如|是/否|下拉|yyyy"
_HOW_TO: Final = re.compile(f"[(（\\[【][^{_BRACKETS}]*(?:{_FILLING_IN})[^{_BRACKETS}]*[)）\\]】]", re.IGNORECASE)
"""What sheets say in brackets about how to fill a column in. Other words in brackets may make it another column: the
telephone of somebody else, for one."""


def plain(header: str) -> str:
    """Bring a header to one form: half width, no blanks, brackets, stars."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", header)).casefold()


_MEANINGS: Final = {plain(word): column for column, words in _SPELLINGS.items() for word in words.split("|")}


def meaning_of(header: str) -> Column | None:
    """Return what a header says its column is, if it is one of the known spellings."""
    return _MEANINGS.get(plain(header)) or _MEANINGS.get(plain(_HOW_TO.sub("", header)))


def meanings_of(headers: Sequence[str]) -> list[Column | None]:
    """Return what each column is; of two that say the same, the first is read."""
    found: list[Column | None] = []
    for header in headers:
        meaning = meaning_of(header)
        found.append(meaning if meaning not in found else None)
    return found


def fingerprint(headers: Sequence[str]) -> str:
    """Tell sheets apart by their headers, in their order."""
    return hashlib.sha256("\n".join(map(plain, headers)).encode()).hexdigest()[:32]


def known_in(cells: Sequence[str]) -> int:
    """Count the known headers in a row."""
    return sum(meaning_of(cell) is not None for cell in cells if cell)
