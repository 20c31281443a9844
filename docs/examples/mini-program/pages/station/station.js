// A page of a WeChat mini-program: what is free at one station. Put the server among the allowed domains (request 合法域名).

const { view } = require("./availability.js");

const SERVER = "https://stations.example"; // yours
const ASK_EVERY_MS = 30_000;
const PAINT_EVERY_MS = 1_000;

Page({
  data: { name: "", open: "", rows: [] },

  onLoad({ station }) {
    this.station = station;
  },

  onShow() {
    this.ask();
    this.asking = setInterval(() => this.ask(), ASK_EVERY_MS);
    this.painting = setInterval(() => this.paint(), PAINT_EVERY_MS); // a value that runs out does so on time
  },

  onHide() {
    clearInterval(this.asking);
    clearInterval(this.painting);
  },

  onUnload() {
    this.onHide();
  },

  ask() {
    wx.request({
      url: `${SERVER}/api/v1/stations/${encodeURIComponent(this.station)}`,
      success: ({ statusCode, data }) => {
        if (statusCode !== 200) return; // what is shown runs out by itself
        this.document = data;
        this.received = Date.now();
        this.paint();
      },
    });
  },

  paint() {
    if (this.document) this.setData(view(this.document, this.received, Date.now()));
  },
});
