// The configuration as the server has it, and the one way to change it: a change set against the state that was seen.

/**
 * What came of a save. `before` is the version to go back to: what was there, also where nobody had kept it yet. `problems`: what is wrong, each with its mend. `conflict`: somebody else changed the files first. `waits`: the box that has not answered yet; `busy`: it has not answered the change before.
 * @typedef {{ ok: boolean, waits?: string, version?: number, before?: number, conflict?: boolean, busy?: boolean, problems?: string[], restart?: string[], trouble?: string }} Saved
 */

const JSON_TYPE = { "content-type": "application/json" };

export async function ask(url, options = {}) {
  const answer = await fetch(url, { credentials: "same-origin", ...options }).catch(() => null);
  const body = answer ? await answer.json().catch(() => null) : null;
  return { status: answer?.status ?? 0, ok: answer?.ok ?? false, body, headers: answer?.headers };
}

export const send = (url, body, method = "POST") => ask(url, { method, headers: JSON_TYPE, body: JSON.stringify(body) });

// The lines of a refusal, one for each mistake, each with the place that it is about.
export function problemsOf(body) {
  const lines = (body?.errors ?? []).map(({ name, detail }) => (detail.includes(name) ? detail : `${name}: ${detail}`));
  return lines.length ? lines : [body?.detail ?? body?.title ?? "?"];
}

export class Store {
  config = /** @type {any} */ ({});
  version = 0;
  etag = "";
  readable = false;

  // `station`: of a box, whose files have its lines; without it, our own files.
  constructor(/** @type {string | null} */ station = null) {
    this.query = station === null ? "" : `?station=${encodeURIComponent(station)}`;
  }

  async load() {
    const { ok, body, headers } = await ask(`/api/v1/config${this.query}`);
    this.readable = ok;
    if (!ok) return false;
    this.config = body.config ?? {};
    this.version = body.version;
    this.etag = headers?.get("etag") ?? "";
    return true;
  }

  get stations() {
    return this.config.stations ?? [];
  }

  station(id) {
    return this.stations.find((one) => one.id === id);
  }

  /** @returns {Promise<Saved>} */
  async save(changes, why) {
    const { status, ok, body } = await ask("/api/v1/config/changes", {
      method: "POST",
      headers: { ...JSON_TYPE, "if-match": this.etag },
      body: JSON.stringify({ why, changes }),
    });
    if (ok || status === 412) await this.load();
    if (status === 202) return { ok: true, waits: body.box.box };
    if (ok) return { ok: true, version: body.version, before: body.version - 1, restart: body.needs_restart ?? [], trouble: body.trouble ?? "" };
    return this.#refused(status, body);
  }

  // At a box one change waits at a time.
  #refused(status, body) {
    return { ok: false, conflict: status === 412, busy: status === 409 && this.query !== "" && /waits for box/.test(body?.detail), problems: problemsOf(body) };
  }

  /** @returns {Promise<Saved>} */
  async restore(version) {
    const { ok, status, body } = await ask(`/api/v1/config/versions/${version}/restore${this.query}`, {
      method: "POST",
      headers: { ...JSON_TYPE, "if-match": this.etag },
      body: "{}",
    });
    await this.load();
    if (status === 202) return { ok: true, waits: body.box.box };
    return ok ? { ok: true, version: body.version, before: body.version - 1 } : this.#refused(status, body);
  }
}

// A step of a path, as JSON Pointer writes it.
export const step = (name) => String(name).replaceAll("~", "~0").replaceAll("/", "~1");
export const at = (...steps) => `/${steps.map(step).join("/")}`;
