// A page's end of the line that all pages of a browser share (line-worker.js): what it has of an EventSource.

/** @type {SharedWorker | null} */
let worker = null;

function made() {
  if (typeof SharedWorker === "undefined") return null;
  const { build } = document.documentElement.dataset;
  if (worker) return worker;
  const shared = new SharedWorker(`/static/${build}/js/line-worker.js`);
  worker = shared;
  addEventListener("pagehide", () => shared.port.postMessage({ close: true }));
  return worker;
}

export class SharedLine extends EventTarget {
  /** @type {(() => void) | null} */
  onerror = null;

  // null where the browser knows no shared workers: a phone's, mostly
  /**
   * @param {string} url
   * @param {string} station
   * @returns {SharedLine | null}
   */
  static to(url, station) {
    try {
      return made() && new SharedLine(url, station);
    } catch {
      return null;
    }
  }

  /**
   * @param {string} url
   * @param {string} station
   */
  constructor(url, station) {
    super();
    // A worker has one port for each page; whoever listens last, hears.
    this.port = /** @type {SharedWorker} */ (made()).port;
    this.port.onmessage = ({ data }) => {
      if (data.name === "error") this.onerror?.();
      else this.dispatchEvent(Object.assign(new MessageEvent(data.name, { data: data.data }), { age: data.age }));
    };
    this.port.postMessage({ open: url, station });
  }

  // That this page still lives; to be called now and then.
  alive() {
    this.port.postMessage({ alive: true });
  }

  close() {
    this.port.postMessage({ close: true });
  }
}
