// Words of the page that finds a station (api/pages/find); the server writes most of them.

export const FIND = {
  find_title: ["找个地方歇歇脚", "找個地方歇歇腳", "Find a place to rest"],
  find_need: ["要找什么", "要找什麼", "What do you need"],
  find_all: ["全部", "全部", "All"],
  find_name: ["名称、地址", "名稱、地址", "Name, address"],
  find_region: ["全部地区", "全部地區", "All regions"],
  find_go: ["查找", "查找", "Find"],
  find_near: ["用我的位置", "用我的位置", "Use my position"],
  find_hint: [
    "位置只用来算距离，不会保存。",
    "位置只用來算距離，不會保存。",
    "Your position is used for the distance only and not kept.",
  ],
  find_wait: ["正在定位…", "正在定位…", "Finding you…"],
  find_refused: [
    "没能获取您的位置，请选地区或输入名称",
    "沒能取得您的位置，請選地區或輸入名稱",
    "No position. Choose a region or type a name",
  ],
  find_first: ["按走路加等候的时间排列", "按走路加等候的時間排列", "Sorted by walk and wait together"],
  find_from: ["按离 {name} 的距离排列", "按離 {name} 的距離排列", "Sorted by distance from {name}"],
  find_some: ["{n} 个驿站", "{n} 個驛站", "{n} stations"],
  find_none: ["没有找到，换个词或地区试试", "沒有找到，換個詞或地區試試", "Nothing found. Try another word or region"],
  find_more: ["更多", "更多", "More"],
  find_back: ["上一页", "上一頁", "Back"],
  find_walk: ["步行约 {n} 分钟", "步行約 {n} 分鐘", "{n} min on foot"],
  find_ended: ["{at} 时{what}", "{at} 時{what}", "{at}: {what}"],
  find_lost: ["联系不上服务器，以下是 {at} 的情况", "聯繫不上伺服器，以下是 {at} 的情況", "No contact. This is how it was at {at}"],
  toilet: ["卫生间", "洗手間", "Toilet"],
};
