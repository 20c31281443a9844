"""The items of 等保二级 (GB/T 22239-2019, level 2 with its extension for sensors) and of ETSI EN 303 645."""

from typing import Final

from api.compliance import evidence as e
from api.compliance.words import Item, operator

GB: Final = "GB/T 22239-2019"
EN: Final = "EN 303 645"

ITEMS: Final[tuple[Item, ...]] = (
    Item(GB, "7.1.1", ("安全物理环境", "physical environment"), operator,
         ("机房、箱体上锁，防雷防火防水，供电", "lock the box; lightning, fire, water, power")),
    Item(GB, "7.1.2", ("通信传输", "communication"), e.on_the_way, ("划分网段", "separate the networks")),
    Item(GB, "7.1.3", ("区域边界", "borders"), operator,
         ("防火墙默认拒绝，只放行所需端口", "a firewall that refuses by default")),
    Item(GB, "7.1.4.1 a", ("身份鉴别：一人一号", "identities: one a person"), e.identities,
         ("离岗当天 `yizhan keys revoke`", "revoke the key of who leaves, that day")),
    Item(GB, "7.1.4.1 b", ("身份鉴别：失败处理", "identities: failed log-ins"), e.failed_log_ins),
    Item(GB, "7.1.4.2", ("访问控制", "access control"), e.least_rights,
         ("每季度核对密钥", "go over the keys each quarter")),
    Item(GB, "7.1.4.3", ("安全审计", "audit"), e.trail, ("把 audit/ 抄到别处，定期 verify --against",
         "copy audit/ elsewhere, and verify --against it")),
    Item(GB, "7.1.4.4", ("入侵防范", "intrusion"), e.surface, ("装系统安全更新", "take the updates of the system")),
    Item(GB, "7.1.4.5", ("恶意代码防范", "malicious code"), operator,
         ("按单位要求装防护软件", "as your house rules ask")),
    Item(GB, "7.1.4.6", ("可信验证", "trusted start"), operator,
         ("硬件支持时开安全启动", "secure boot, where the machine has it")),
    Item(GB, "7.1.4.7", ("数据完整性", "integrity of data"), e.inputs),
    Item(GB, "7.1.4.8", ("数据备份恢复", "backup"), e.backups,
         ("备份放到另一处，演练恢复", "keep it elsewhere, and rehearse")),
    Item(GB, "7.1.4.9", ("剩余信息保护", "what is left behind"), e.at_rest,
         ("报废前销毁存储卡", "destroy the card of a box that goes")),
    Item(GB, "7.1.4.10", ("个人信息保护", "personal data"), e.personal, ("告知并公示", "tell people, and post it")),
    Item(GB, "7.1.5", ("安全管理中心", "management centre"), e.telemetry,
         ("指定管理员、审计员", "name who administers and who audits")),
    Item(GB, "7.1.6-7.1.10", ("制度、机构、人员、建设、运维", "rules, people, building, running"), operator,
         ("制度成文，人员培训，供应商合同", "written rules, training, contracts")),
    Item(GB, "7.4.1", ("感知节点物理防护", "sensors: physical"), operator,
         ("设备固定，防拆", "fix them, against theft")),
    Item(GB, "7.4.2", ("感知节点接入控制", "sensors: admitted by identity"), e.nodes),
    Item(GB, "7.4.3", ("感知节点管理", "sensors: care"), operator,
         ("登记、巡检、更换", "list, inspect, replace them")),
    Item(EN, "5.1", ("没有通用默认密码", "no universal default passwords"), e.least_rights),
    Item(EN, "5.2", ("漏洞报告", "a means to report vulnerabilities"), e.disclosure,
         ("写明联系人", "name your contact")),
    Item(EN, "5.3", ("软件更新", "software is kept updated"), e.updates, ("装更新", "install them")),
    Item(EN, "5.4", ("安全存放敏感参数", "sensitive parameters stored securely"), e.at_rest),
    Item(EN, "5.5", ("安全通信", "communicates securely"), e.on_the_way),
    Item(EN, "5.5 b", ("证书", "certificates"), e.certificates),
    Item(EN, "5.6", ("最小暴露面", "small attack surface"), e.surface),
    Item(EN, "5.7", ("软件完整性", "software integrity"), operator,
         ("核对安装包签名", "check the package's signature")),
    Item(EN, "5.8", ("个人数据", "personal data is secure"), e.personal),
    Item(EN, "5.9", ("断网断电", "resilient to outages"), e.outages),
    Item(EN, "5.10", ("看遥测数据", "telemetry is examined"), e.telemetry),
    Item(EN, "5.11", ("容易删除个人数据", "easy to delete user data"), e.personal,
         ("备份重做", "make backups anew then")),
    Item(EN, "5.12", ("容易安装维护", "easy to install and maintain"), e.easy),
    Item(EN, "5.13", ("检验输入", "input is validated"), e.inputs),
)  # fmt: skip
