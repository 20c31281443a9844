// What a page may say of an availability document. Nothing in it is live after its valid_until.

const NAMES = { seat: "座位", room: "活动室", charger: "充电", appliance: "电器", locker: "快递柜", parking: "车位", door: "门", safety: "急救" };
const OPEN = { yes: "开放中", no: "已关闭", unknown: "是否开放不详" };

// The document's own time, however wrong the phone's clock is. `received` and `now` are Date.now() of this phone.
function timeOf(document, received, now) {
  return Date.parse(document.as_of) + (now - received);
}

function view(document, received, now) {
  const at = timeOf(document, received, now);
  const live = document.valid_until !== null && at < Date.parse(document.valid_until);
  const open = live ? document.open.now : "unknown";
  return {
    name: document.name.zh || document.station,
    open: OPEN[open],
    rows: document.summary.map((row) => ({
      key: `${row.kind}:${row.type || ""}`,
      name: NAMES[row.kind] || row.kind,
      text: live ? words(row) : "未知",
      usable: live && row.usable_min > 0 ? "yes" : live && row.usable_max === 0 ? "no" : "unknown",
    })),
  };
}

// Certain: the number. Some certain: at least so many. None certain: unknown, never 0.
function words(row) {
  if (row.usable_min === row.usable_max) return `${row.usable_min} / ${row.total}`;
  return row.usable_min > 0 ? `至少 ${row.usable_min}` : "未知";
}

module.exports = { timeOf, view };
