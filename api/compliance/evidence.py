"""What is so in this installation, for the items of both standards."""

from api.chinese import told
from api.compliance.look import Look
from api.compliance.words import ClauseEvidence, holds, look
from gateway.base.local_time import DAY_MS

HALF_A_YEAR_DAYS = 183
BACKUP_DAYS = 8


def identities(at: Look) -> ClauseEvidence:
    if not at.keys:
        return look("还没有人员密钥：`yizhan keys create`", "there is no staff key yet: `yizhan keys create`")
    if at.shared_names:
        return look(
            f"{at.shared_names} 把密钥重名，一人一把才追得到人",
            f"{at.shared_names} keys share a name; one for each person, or nobody can be told apart",
        )
    if at.eternal_keys:
        return look(
            f"{len(at.keys)} 把密钥，{at.eternal_keys} 把不过期：新建时加 --expires",
            f"{len(at.keys)} keys, of which {at.eternal_keys} never end: make them with --expires",
        )
    return holds(f"{len(at.keys)} 把密钥，一人一把，都有期限", f"{len(at.keys)} keys, one a person, each with an end")


def failed_log_ins(at: Look) -> ClauseEvidence:
    hours = at.settings.api.session_hours
    return holds(
        f"猜错的登录越来越慢，同一地址四个以上同时等待就拒绝；审计里有 {at.failed_log_ins} 次提示；"
        f"会话 {hours} 小时后结束",
        f"wrong keys are answered later and later, and refused beyond four at a time; {at.failed_log_ins} notes of "
        f"them in the trail; a session ends after {hours} h",
    )


def least_rights(at: Look) -> ClauseEvidence:
    admins = sum(key.role == "admin" for key in at.keys)
    scoped = sum(not key.everywhere for key in at.keys)
    return holds(
        f"没有默认账号；{admins} 把管理员密钥，{scoped} 把只管部分站点",
        f"no account exists by default; {admins} administrators, {scoped} keys reach some stations only",
    )


def trail(at: Look) -> ClauseEvidence:
    if at.trail_faults:
        return look(f"审计链不完整：{at.trail_faults[0]}", f"the chain is broken: {at.trail_faults[0]}")
    days = at.settings.store.retention.alerts_days
    if days < HALF_A_YEAR_DAYS:
        return look(
            f"只保留 {days} 天：store.retention.alerts_days 至少 {HALF_A_YEAR_DAYS}",
            f"kept for {days} days only: set store.retention.alerts_days to {HALF_A_YEAR_DAYS} or more",
        )
    return holds(
        f"{at.trail_lines} 行，哈希链完整，保留 {days} 天，每日导出 {at.exports} 份",
        f"{at.trail_lines} lines, the chain is whole, kept for {days} days, {at.exports} daily exports",
    )


def on_the_way(at: Look) -> ClauseEvidence:
    if not at.web_is_safe:
        return look(
            "网页没有加密：api.cert_file 和 api.key_file，或用 Caddy",
            "pages go in plain: set api.cert_file and api.key_file, or put Caddy in front",
        )
    if not at.broker_is_safe:
        return look("MQTT 没有加密：mqtt.url 改用 mqtts://", "MQTT goes in plain: make mqtt.url mqtts://")
    return holds("网页和 MQTT 都加密，或只在本机", "pages and MQTT are encrypted, or on this machine alone")


def certificates(at: Look) -> ClauseEvidence:
    if at.certificates:
        return look(f"快到期：{told(at.certificates[0])}", f"ends soon: {at.certificates[0]}")
    return holds("到期前 20 天告警", "told 20 days before one ends")


def at_rest(at: Look) -> ClauseEvidence:
    if at.open_files:
        return look(
            f"别人能读或改 {at.open_files[0]}：chmod 600", f"others may read or change {at.open_files[0]}: chmod 600"
        )
    return holds("密钥和数据库只有属主可读", "keys and databases are readable by their owner alone")


def backups(at: Look) -> ClauseEvidence:
    if at.backup_trouble is not None:
        return look(f"备份有问题：{told(at.backup_trouble)}", f"backups are in trouble: {at.backup_trouble}")
    if at.backed_up_at is None or at.now - at.backed_up_at > BACKUP_DAYS * DAY_MS:
        return look("一周内没有备份：`yizhan backup`", "no backup within a week: `yizhan backup`")
    days = (at.now - at.backed_up_at) // DAY_MS
    return holds(f"{days} 天前备份过", f"backed up {days} days ago")


def personal(at: Look) -> ClauseEvidence:
    kept = at.settings.store.retention
    return holds(
        f"只存卡的化名，{kept.door_events_days} 天后抹去；不存身份证号、不用人脸；照片 {kept.photos_days} 天；"
        "`yizhan store forget` 删除一个人",
        f"cards are pseudonyms and go after {kept.door_events_days} days; no identity number and no face is ever "
        f"stored; photos {kept.photos_days} days; `yizhan store forget` erases a person",
    )


def nodes(at: Look) -> ClauseEvidence:
    if not at.broker_has_users:
        return look(
            "MQTT 没有用户：mosquitto.acl 和 `yizhan device add`",
            "the broker knows no users: mosquitto.acl, and `yizhan device add`",
        )
    return holds(
        "设备各有用户，只能说自己的话；命令都签名，过期、重复的不执行",
        "each device has a user and speaks for itself alone; every command is signed, late and repeated ones are "
        "refused",
    )


def inputs(_at: Look) -> ClauseEvidence:
    return holds(
        "每条输入先限大小、深度、类型、范围再用；读不懂的隔离留底",
        "every input is bounded in size, depth, type and range before use; what can't be read is set aside with its "
        "reason",
    )


def outages(_at: Look) -> ClauseEvidence:
    return holds(
        "断网照常工作，先存后确认；断电不丢已确认的；起不来的升级自动退回",
        "works without a network; acknowledges after the disk; what was acknowledged survives a power cut; an upgrade "
        "that does not start is taken back",
    )


def updates(_at: Look) -> ClauseEvidence:
    return holds(
        "一个安装包，附 SBOM；升级前备份改格式的库，失败自动退回",
        "one package with its SBOM; databases are copied before their format changes; what fails is taken back by "
        "itself",
    )


def surface(at: Look) -> ClauseEvidence:
    host = at.settings.api.listen
    return holds(
        f"只监听 {host}；服务无特权、只写自己的目录（systemd 暴露度 ≤ 2.5）",
        f"listens on {host} alone; the services have no privilege and write in their own folders (exposure at most "
        "2.5 of 10)",
    )


def telemetry(at: Look) -> ClauseEvidence:
    if not at.settings.alerts.channels:
        return look("没有通知渠道：alerts.channels", "nobody is told of alerts: set alerts.channels")
    return holds(
        "本机 /metrics 和告警可看异常", "metrics and alerts show what is unusual; nothing is sent to the makers"
    )


def disclosure(_at: Look) -> ClauseEvidence:
    return holds("SECURITY.md 写明怎么报告、多快答复", "SECURITY.md says how to report and how soon one is answered")


def easy(_at: Look) -> ClauseEvidence:
    return holds("开站在浏览器里完成，默认设置是安全的", "set up in the browser; the defaults are the safe ones")
