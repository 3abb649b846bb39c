"""Communities with made-up compounds and lanes. Codes and community names are real, everything inside them is not."""

from typing import NamedTuple

COUNTY = "610330"


class Ground(NamedTuple):
    """A community of the demo: code, short name, two compounds for each of its six cells, lanes of old houses."""

    code: str
    name: str
    login: str
    compounds: tuple[str, ...]
    lanes: tuple[str, ...]


COMMUNITIES = (
    Ground(
        "610330100001", "新建路社区", "xinjianlu",
        ("新建路小区", "滨江苑", "粮贸家属院", "和顺苑", "凤新小区", "水岸花园",
         "供销家属院", "安居苑", "新苑小区", "嘉和苑", "农机家属院", "锦园小区"),
        ("河堤巷", "老街巷", "仓库巷"),
    ),
    Ground(
        "610330100007", "新民街社区", "xinminjie",
        ("新民小区", "文化苑", "商贸家属院", "康乐小区", "民安苑", "丰禾小区",
         "二轻家属院", "秀水苑", "育才小区", "兴业苑", "邮电家属院", "福满小区"),
        ("集市巷", "戏楼巷", "染坊巷"),
    ),
    Ground(
        "610330100008", "杨家坪社区", "yangjiaping",
        ("杨家坪小区", "坪上花园", "矿业家属院", "翠屏苑", "杨柳小区", "怡和苑",
         "林业家属院", "凤苑小区", "朝阳小区", "青山苑", "运输家属院", "梨园小区"),
        ("坪前巷", "水渠巷", "果园巷"),
    ),
    Ground(
        "610330101003", "龙口社区", "longkou",
        ("龙口小区", "凤州苑", "铁路家属院", "龙泉小区", "古城苑", "临江小区",
         "电厂家属院", "龙安苑", "东关小区", "南岸花园", "养路家属院", "双龙小区"),
        ("城隍巷", "东关巷", "渡口巷"),
    ),
)  # fmt: skip

SIDE_ROOMS = ("上房", "东厢", "西厢")
"""Households of one courtyard."""
