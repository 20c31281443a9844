// One line to the server for all walls and phones of a browser (a SharedWorker). Over HTTP/1.1 a browser has six connections
// to a server for all its tabs: each page with a line of its own would leave the seventh without anything.
//
// A page that comes gets what was heard last, with its age. Who made a line, and how often, is the pages' matter: on a break
// each is told, comes again, and the first of them opens the line anew. Beyond MOST_LINES stations, documents are asked for.

const MOST_LINES = 3;
const ASK_MS = 3000;
const SILENT_MS = 8000;
const GONE_MS = 120_000; // a page that said nothing for so long is gone without a word

/** @type {Map<string, Line>} */
const lines = new Map();

class Line {
  /** @type {Map<any, number>} pages, and when each last spoke */
  pages = new Map();
  /** @type {EventSource | null} */
  source = null;
  /** @type {ReturnType<typeof setInterval> | null} */
  asking = null;
  heard = performance.now();
  /** @type {{data: string, at: number} | null} */
  last = null;

  /** @param {string} station */
  constructor(station) {
    this.station = station;
  }

  /** @param {string} url */
  open(url) {
    const silent = performance.now() - this.heard > SILENT_MS;
    if ((this.source || this.asking !== null) && !silent) return;
    this.close();
    this.heard = performance.now();
    const open = [...lines.values()].filter((line) => line.source).length;
    if (open < MOST_LINES) this.listen(url);
    else this.ask();
  }

  /** @param {string} url */
  listen(url) {
    const source = new EventSource(url);
    this.source = source;
    for (const name of ["snapshot", "availability", "heartbeat"])
      source.addEventListener(name, ({ data }) => source === this.source && this.tell(name, data));
    source.onerror = () => source === this.source && this.fail();
  }

  ask() {
    const look = async () => {
      const address = `/api/v1/stations/${encodeURIComponent(this.station)}`;
      const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(5000) }).catch(() => null);
      const data = answer?.ok ? await answer.text().catch(() => null) : null;
      if (this.asking === null) return;
      if (data === null) this.fail();
      else this.tell("availability", data);
    };
    this.asking = setInterval(look, ASK_MS);
    look();
  }

  /**
   * @param {string} name
   * @param {string} data
   */
  tell(name, data) {
    this.heard = performance.now();
    if (name !== "heartbeat") this.last = { data, at: this.heard };
    for (const page of this.pages.keys()) page.postMessage({ name, data, age: 0 });
  }

  fail() {
    this.close();
    for (const page of this.pages.keys()) page.postMessage({ name: "error" });
  }

  close() {
    this.source?.close();
    this.source = null;
    clearInterval(this.asking ?? undefined);
    this.asking = null;
  }

  /** @param {any} page */
  leave(page) {
    this.pages.delete(page);
    if (this.pages.size) return;
    this.close();
    lines.delete(this.station);
  }
}

/** @type {any} */ (self).onconnect = (/** @type {MessageEvent} */ { ports: [page] }) => {
  /** @type {Line | null} */
  let line = null;
  page.onmessage = ({ data }) => {
    if (data.open) {
      line = lines.get(data.station) ?? new Line(data.station);
      lines.set(data.station, line);
      line.pages.set(page, performance.now());
      const { last } = line;
      line.open(data.open);
      if (last && line.last === last) page.postMessage({ name: "snapshot", data: last.data, age: performance.now() - last.at });
    } else if (data.close) {
      line?.leave(page);
      line = null;
    } else line?.pages.set(page, performance.now());
  };
};

setInterval(() => {
  for (const line of lines.values())
    for (const [page, spoke] of line.pages) if (performance.now() - spoke > GONE_MS) line.leave(page);
}, 10_000);
