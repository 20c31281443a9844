// Words of the desk pages, on top of words.js.

export const DESK = {
  overview: ["场地管理一屏总览", "場地管理一屏總覽", "All stations on one page"], size: ["{n} 站，{r} 个片区", "{n} 站，{r} 個片區", "{n} stations, {r} regions"],
  needs: ["需要处理", "需要處理", "Needs a person"], where: ["分布", "分布", "Where"], has_seats: ["有空位", "有空位", "Free"], log_in: ["登录", "登入", "Log in"], log_out: ["退出", "登出", "Log out"],
  find: ["找驿站、片区", "找驛站、片區", "Find a station or region"], live_ago: ["实时 {age}", "即時 {age}", "live, {age}"], not_live: ["未连接", "未連接", "not live"],
  counts: ["{bad} 项　{ok} 站正常　{shut} 站关闭", "{bad} 項　{ok} 站正常　{shut} 站關閉", "{bad} open, {ok} fine, {shut} closed"], all: ["全部", "全部", "All"], stations_n: ["{n} 站", "{n} 站", "{n}"],
  piles: ["桩 {a}/{b}", "樁 {a}/{b}", "chargers {a}/{b}"], seats_of: ["/{n} 座", "/{n} 座", "/{n} seats"], places_of: ["/{n}", "/{n}", "/{n}"], week: ["七日利用", "七日利用", "7-day use"], other_region: ["其他", "其他", "Other"],
  "seat.col": ["空座", "空座", "Seats"], "charger:ebike.col": ["电动车", "電動車", "E-bike"], "charger:ev.col": ["汽车", "汽車", "Car"], "charger:phone.col": ["手机", "手機", "Phone"], "charger.col": ["充电", "充電", "Charge"], "locker.col": ["储物", "儲物", "Locker"], "parking.col": ["停车", "停車", "Park"],
  station_silent: ["整站无消息", "整站無消息", "Station silent"], some_silent: ["{n} 处无消息", "{n} 處無消息", "{n} places silent"], faulty: ["{what} 故障", "{what} 故障", "{what} out of order"], last_at: ["最后消息 {at}", "最後消息 {at}", "last news {at}"], never: ["从未收到消息", "從未收到消息", "never heard"],
  acknowledge: ["确认", "確認", "Acknowledge"], acknowledged: ["{who} 已确认", "{who} 已確認", "{who} has it"], someone: ["已确认", "已確認", "Acknowledged"], look: ["查看", "查看", "Look"], step1: ["待接单", "待接單", "has not accepted yet"], step2: ["已接单", "已接單", "accepted"], step3: ["待验收", "待驗收", "says it is done"], no_order: ["未派单", "未派單", "no order yet"], send_order: ["派单", "派單", "Send"],
  all_fine: ["没有需要处理的事", "沒有需要處理的事", "Nothing needs a person"], held: ["已确认", "已確認", "held"], km5: ["5 公里", "5 公里", "5 km"], map_of: ["{n} 个驿站的位置与状态", "{n} 個驛站的位置與狀態", "{n} stations: place and state"], none_found: ["没有找到", "沒有找到", "Nothing found"],
  no_station: ["未知　{at} 后无消息", "未知　{at} 後無消息", "Not known, silent since {at}"], closed_opens: ["已关闭　{at} 开", "已關閉　{at} 開", "Closed, opens {at}"], failed: ["没有成功，请再试", "沒有成功，請再試", "That failed, try again"],
  m_short: ["{n} 分", "{n} 分", "{n} min"], h_short: ["{n} 时", "{n} 時", "{n} h"], d_short: ["{n} 天", "{n} 天", "{n} d"], utilised: ["利用 {n}%", "利用 {n}%", "{n}% used"],
  own: ["系统", "系統", "System"],
  // kinds of alert
  "alert.device_silent": ["设备无消息", "設備無消息", "Device silent"],
  "alert.bridge_offline": ["采集盒失联", "採集盒失聯", "Bridge offline"],
  "alert.station_offline": ["整站失联", "整站失聯", "Station offline"],
  "alert.charger_fault": ["充电桩故障", "充電樁故障", "Charger fault"],
  "alert.equipment_fault": ["设备故障", "設備故障", "Equipment fault"],
  "alert.power_without_session": ["无会话却有功率", "無會話卻有功率", "Power without a session"],
  "alert.session_without_power": ["充电中却无功率", "充電中卻無功率", "Session without power"],
  "alert.stuck_sensor": ["疑似卡住", "疑似卡住", "Sensor seems stuck"],
  "alert.reader_dead": ["读卡器失灵", "讀卡器失靈", "Card reader dead"],
  "alert.battery_low": ["电量低", "電量低", "Battery low"],
  "alert.clock_skew": ["时钟不准", "時鐘不準", "Clock is off"],
  "alert.locker_full": ["储物柜已满", "儲物櫃已滿", "Lockers full"],
  "alert.screen_absent": ["屏幕没有报到", "螢幕沒有報到", "Screen absent"],
  "alert.reported": ["访客报告", "訪客報告", "Reported by a visitor"],
  "alert.door_forced": ["门被强开", "門被強開", "Door forced"],
  "alert.door_held": ["门未关好", "門未關好", "Door held open"],
  "alert.tamper": ["被拆动", "被拆動", "Tampered with"],
  "alert.help": ["有人求助", "有人求助", "Help wanted"],
  "alert.safety_not_ready": ["急救设备未就绪", "急救設備未就緒", "Safety item not ready"],
  "alert.safety_expiring": ["急救耗材将过期", "急救耗材將過期", "Safety item expiring"],
  "alert.broker_lost": ["消息服务断开", "訊息服務斷開", "Broker lost"],
  "alert.store_failing": ["写盘失败", "寫盤失敗", "Store failing"],
  "alert.disk_filling": ["磁盘将满", "磁碟將滿", "Disk filling"],
  "alert.duplicate_gateway": ["网关重复", "閘道重複", "Two gateways at once"],
  "alert.quarantine_rate": ["坏消息过多", "壞訊息過多", "Many unreadable messages"],
};

export function howLong(ms, say) {
  const minutes = Math.max(0, Math.round(ms / 60000));
  if (minutes < 60) return say("m_short", { n: minutes });
  return minutes < 2880 ? say("h_short", { n: (minutes / 60).toFixed(minutes < 600 ? 1 : 0) }) : say("d_short", { n: Math.round(minutes / 1440) });
}
