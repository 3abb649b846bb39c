"""What people ask for, in their words. The title of a request is its category's; these are the details."""

from shared.requests import Urgency

HELP: dict[str, tuple[str, ...]] = {
    "escort_hospital": (
        "去县医院复查血压，腿脚不便，需要有人搀扶。",
        "约了上午的号看眼睛，一个人认不清楼层。",
        "到中医院做理疗，来回想有个伴。",
        "去县医院取检查结果，听不清医生说话，请帮着记一下。",
    ),
    "deliver_medicine": (
        "降压药吃完了，处方在家里，请到药房取一下。",
        "社区医院的药已经开好，走不动，麻烦送到家。",
        "糖尿病的药和试纸，药店说到货了。",
    ),
    "errand": (
        "买一袋面和两斤鸡蛋，钱当面给。",
        "买些青菜豆腐，楼高下不来。",
        "到超市买卫生纸和洗衣粉，东西有点沉。",
    ),
    "meal": (
        "这几天手疼做不了饭，中午想要一份软和的饭。",
        "老伴住院，家里没人做饭，请送一顿午饭。",
        "养老餐厅订了午饭，请捎上来。",
    ),
    "repair": ("厨房灯泡坏了，自己够不着。", "水龙头滴水，换个垫圈就好。", "门锁不好拧，想请人看看。"),
    "housework": ("窗户擦不动了，请帮着擦一擦。", "刚出院，屋里想简单收拾一下。", "换季的被褥要晒，搬不动。"),
    "phone_lesson": ("想学用手机挂号。", "想跟外地的孙子视频，总是点不开。", "电费要在手机上交，学了两遍还是不会。"),
    "chat": ("一个人在家，想有人来说说话。", "老伴走后不爱出门，想请人陪着坐坐。", "喜欢听秦腔，想找人一起聊聊。"),
}
HELP_MINUTES = {
    "escort_hospital": (120, 150, 180),
    "deliver_medicine": (30, 40),
    "errand": (40, 60),
    "meal": (30, 40),
    "repair": (45, 60),
    "housework": (60, 90),
    "phone_lesson": (45, 60),
    "chat": (45, 60),
}
SIGN_DETAIL = "听不见，请会手语的人陪着，帮着和医生说清楚。"
"""Goes with the request that asks for sign language."""

# category -> (where, what, how urgent), one or two of each
INCIDENTS: dict[str, tuple[tuple[str, str, Urgency], ...]] = {
    "street_lamp": (
        ("北门外第二盏路灯", "晚上不亮三天了，老人走路不放心。", Urgency.soon),
        ("拐弯处的路灯", "一闪一闪，快要灭了。", Urgency.whenever),
    ),
    "rubbish": (
        ("垃圾点旁", "旧沙发堆了一星期，挡住半边路。", Urgency.soon),
        ("围墙外", "建筑垃圾没人清，起风就扬灰。", Urgency.whenever),
    ),
    "manhole": (("路口的井盖", "缺了一角，先放了个锥桶。", Urgency.today),),
    "pipe_leak": (
        ("楼后水管", "接口漏水，地上湿滑。", Urgency.today),
        ("小广场边", "井里往外冒水。", Urgency.soon),
    ),
    "fallen_tree": (
        ("西侧绿化带", "昨晚大风，树枝压在电线上。", Urgency.danger),
        ("河堤步道边", "一棵槐树倒了半边，占了路。", Urgency.today),
    ),
    "noise": (("小广场", "晚上十点以后音响还开着。", Urgency.whenever),),
    "fire_hazard": (
        ("一楼楼道", "电动车停在楼道里充电，拉了线。", Urgency.today),
        ("消防通道", "被杂物和车堵住了。", Urgency.today),
    ),
    "standing_water": (("背阴的台阶", "下水不通，夜里结了冰。", Urgency.today),),
    "other_incident": (("岗亭旁", "两只没拴绳的狗，孩子不敢过去。", Urgency.soon),),
}
MATTERS = {
    "elder_allowance": "满八十岁了，想问高龄补贴怎么办，本人走不动。",
    "medical_insurance": "今年的居民医保还没交上，手机上总说信息不符。",
    "housing_letter": "孩子上学要居住证明，问还用不用社区盖章。",
    "disability_card": "残疾人证到期，要换新的。",
}
