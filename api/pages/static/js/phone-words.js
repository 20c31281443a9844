// Words of the phone page, on top of words.js.

export const PHONE = {
  larger: ["大字", "大字", "Larger"], smaller: ["标准字", "標準字", "Normal"], go: ["导航过去", "導航過去", "Take me there"], report: ["报修", "報修", "Report"], around: ["附近", "附近", "Nearby"], back: ["返回", "返回", "Back"], send: ["提交", "提交", "Send"],
  amap: ["高德地图", "高德地圖", "Amap"], tencent: ["腾讯地图", "騰訊地圖", "Tencent Maps"], phone_map: ["手机自带地图", "手機內置地圖", "This phone's map"], leaves: ["将打开外部网站", "將打開外部網站", "opens another site"],
  report_title: ["报告问题", "報告問題", "Report a problem"], report_what: ["哪一处", "哪一處", "Which one"], report_how: ["怎么了", "怎麼了", "What is wrong"], report_more: ["补充说明（可不填）", "補充說明（可不填）", "More, if you like"], report_hint: ["不用登录，也请不要写姓名和电话。", "不用登入，也請不要寫姓名和電話。", "No login. Please leave out names and phone numbers."], report_whole: ["整个驿站", "整個驛站", "The whole station"],
  report_thanks: ["已收到，谢谢", "已收到，謝謝", "Received, thank you"], report_busy: ["报得太快了，请稍后再试", "報得太快了，請稍後再試", "Too many reports, try later"], report_failed: ["没有送到，请再试一次", "沒有送到，請再試一次", "Not delivered, try again"],
  broken: ["坏了", "壞了", "Broken"], dirty: ["脏了", "髒了", "Dirty"], wrong: ["显示不对", "顯示不對", "Shown wrongly"], other: ["其他", "其他", "Something else"],
  around_title: ["附近的驿站", "附近的驛站", "Stations near me"], around_hint: ["需要您的位置。位置只用来计算距离，不会保存。", "需要您的位置。位置只用來計算距離，不會保存。", "This needs your position. It is used for the distance only and not kept."], around_yes: ["用我的位置", "用我的位置", "Use my position"], around_wait: ["正在定位", "正在定位", "Finding you"], around_no: ["没有拿到位置，下面按离本站的距离排列", "沒有拿到位置，下面按離本站的距離排列", "No position. Sorted by distance from this station"], around_none: ["附近没有空座的驿站", "附近沒有空座的驛站", "No station nearby has a free seat"], away: ["离您 {d}", "離您 {d}", "{d} from you"],
};
