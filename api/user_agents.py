"""What a browser says it is, in a few words that people know: `Chrome · Android`. Nothing else of it is kept."""

from typing import Final

OTHER: Final = "?"
LONGEST: Final = 500
# The first mark that is there counts: most browsers say that they are others, too.
BROWSERS: Final = (
    ("wxwork", "WeCom"), ("micromessenger", "WeChat"), ("dingtalk", "DingTalk"), ("lark", "Feishu"),
    ("edg/", "Edge"), ("edga/", "Edge"), ("huaweibrowser", "Huawei"), ("miuibrowser", "MIUI"), ("ucbrowser", "UC"),
    ("qqbrowser", "QQ"), ("opr/", "Opera"), ("firefox/", "Firefox"), ("fxios/", "Firefox"),
    ("chrome/", "Chrome"), ("crios/", "Chrome"), ("safari/", "Safari"), ("curl/", "curl"), ("python", "Python"),
)  # fmt: skip
SYSTEMS: Final = (
    ("harmony", "HarmonyOS"), ("android", "Android"), ("iphone", "iPhone"), ("ipad", "iPad"), ("windows", "Windows"),
    ("mac os", "macOS"), ("cros", "ChromeOS"), ("linux", "Linux"),
)  # fmt: skip


def device_of(user_agent: str) -> str:
    """Browser and system; `?` for one that nobody knows."""
    said = user_agent[:LONGEST].lower()
    words = [next((word for mark, word in table if mark in said), "") for table in (BROWSERS, SYSTEMS)]
    return " · ".join(filter(None, words)) or OTHER
