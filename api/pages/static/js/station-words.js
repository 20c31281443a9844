// Words of the station page, on top of words.js and desk-words.js.

export const STATION = {
  overview_short: ["一屏总览", "一屏總覽", "All stations"],
  see_screen: ["看屏幕", "看螢幕", "Screen"],
  see_phone: ["手机页", "手機頁", "Phone"],
  week_use: ["一周利用", "一週利用", "Use in a week"],
  formula: ["占用 ÷ 已知开放分钟", "佔用 ÷ 已知開放分鐘", "occupied ÷ known open minutes"],
  whole: ["全站", "全站", "Whole station"],
  alerts: ["告警", "告警", "Alerts"],
  last_n: ["最近 {n} 次", "最近 {n} 次", "last {n}"],
  no_alerts: ["没有告警", "沒有告警", "No alerts"],
  each_place: ["逐处", "逐處", "Each place"],
  export: ["导出 CSV", "匯出 CSV", "Export CSV"],
  empty: ["空", "空", "empty"],
  busy: ["满", "滿", "busy"],
  week_sum: [
    "本周 {share}　未知 {unknown} 分钟　覆盖 {coverage}",
    "本週 {share}　未知 {unknown} 分鐘　覆蓋 {coverage}",
    "this week {share}, {unknown} min not known, coverage {coverage}",
  ],
  now_at: ["现在 {at}", "現在 {at}", "now {at}"],
  heat_of: [
    "一周每小时的利用，亮为空，暗为满，斜纹为未知",
    "一週每小時的利用，亮為空，暗為滿，斜紋為未知",
    "Use by hour over a week: bright is empty, dark is busy, hatched not known",
  ],
  no_use: ["还没有利用率数据", "還沒有利用率數據", "No figures yet"],
  ongoing: ["进行中", "進行中", "open"],
  acked: ["已确认", "已確認", "acknowledged"],
  ended: ["已结束", "已結束", "ended"],
  load_failed: ["没有取到", "沒有取到", "not loaded"],
};
