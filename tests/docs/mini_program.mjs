// Runs the page of the mini-program as WeChat would: node mini_program.mjs SERVER STATION. Prints what it shows, first
// with the document as it came, then once its time is over.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import vm from "node:vm";

const [server, station] = process.argv.slice(2);
const folder = new URL("../../docs/examples/mini-program/pages/station/", import.meta.url);
const code = readFileSync(new URL("station.js", folder), "utf8").replace("https://stations.example", server);
const shown = [];
let page;
let answered;
const asked = new Promise((resolve) => {
  answered = resolve;
});
const wx = {
  async request({ url, success }) {
    const answer = await fetch(url);
    success({ statusCode: answer.status, data: await answer.json() });
    answered();
  },
};
let passed = 0;
const began = Date.now();
class Later extends Date {
  static now() {
    return began + passed;
  }
}
const timers = { setInterval: () => 0, clearInterval: () => {} };
vm.runInNewContext(code, {
  wx,
  Page: (made) => {
    page = { ...made, setData: (data) => shown.push(data) };
  },
  require: createRequire(new URL("station.js", folder)),
  Date: Later,
  encodeURIComponent,
  ...timers,
});
page.onLoad({ station });
page.onShow();
await asked;
passed = Date.parse(page.document.valid_until) - Date.parse(page.document.as_of);
page.paint();
page.onUnload();
process.stdout.write(JSON.stringify(shown));
