"""What workers write down at doors. `{who}` is 他 or 她."""

from shared.visits import Finding

NOTES: dict[Finding, tuple[str, ...]] = {
    Finding.fine: (
        "精神不错",
        "家里都好",
        "正在做饭，聊了几句",
        "孩子周末回来过",
        "刚从河堤散步回来",
        "地里收拾完了，人有精神",
    ),
    Finding.unwell: ("说头晕", "腰疼，走路慢", "感冒咳嗽，已吃药", "说夜里睡不好"),
    Finding.medication: ("降压药快吃完了", "药盒里两天没动，提醒{who}按时吃", "分不清早晚的药，写了大字条"),
    Finding.heating: ("炉子烟道要清", "屋里冷，暖气不热", "提醒开窗通风，防煤气"),
    Finding.low_mood: ("说一个人闷得慌", "提起孩子就掉泪，多陪了一会儿"),
    Finding.utilities: ("水管有点漏", "楼道灯不亮", "电费不会用手机交"),
    Finding.supplies: ("米面不多了", "想让人代买些菜"),
    Finding.dispute: ("跟楼上为漏水闹意见", "为停车和邻居争了几句"),
    Finding.safety: ("电线老化，插座发烫", "阳台堆了纸箱", "卫生间地滑，没有扶手"),
    Finding.other: ("问医保怎么交", "想办老年证", "打听养老餐厅"),
}
TROUBLES = (Finding.unwell, Finding.medication, Finding.heating, Finding.low_mood, Finding.utilities,
            Finding.supplies, Finding.dispute, Finding.safety, Finding.other)  # fmt: skip
TROUBLE_WEIGHTS = (24, 22, 9, 10, 10, 8, 4, 7, 6)
"""How often each trouble is noticed, in the order above; they sum to 100."""

PROMISES: tuple[tuple[Finding, str], ...] = (
    (Finding.unwell, "说头晕，约好{day}来看{who}"),
    (Finding.unwell, "咳嗽好几天了，约好{day}再来"),
    (Finding.medication, "药快吃完了，约好{day}陪{who}去取"),
    (Finding.utilities, "水龙头漏水，约好{day}带师傅来"),
    (Finding.heating, "炉子烟道要清，约好{day}来看看"),
    (Finding.low_mood, "说一个人闷，约好{day}再来坐坐"),
    (Finding.supplies, "想代买米面，约好{day}送来"),
)
ABSENT = ("", "", "敲门没人应", "邻居说去县城了", "留了联系卡")
DECLINED = ("说不用来", "隔着门说忙")
MOVED = ("邻居说搬到市里了", "房东说已退租")
