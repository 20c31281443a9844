// What only staff may see and do. The session is a cookie; without one the pages simply do not offer it.

export class Staff {
  allowed = false;
  /** @type {string | null} */
  role = null;
  alerts = [];
  orders = [];
  /** @type {ReturnType<typeof setTimeout> | null} */
  timer = null;

  constructor(changed) {
    this.changed = changed;
  }

  async enter() {
    this.role = (await this.#get("/api/v1/session"))?.role ?? null;
    this.allowed = this.role !== null;
    if (this.allowed) await this.load();
    if (this.allowed) setInterval(() => this.load(), 15_000);
  }

  async load() {
    if (!this.allowed) return;
    const [open, held, orders] = await Promise.all([
      this.#get("/api/v1/alerts?state=open"),
      this.#get("/api/v1/alerts?state=acknowledged"),
      this.#get("/api/v1/orders"),
    ]);
    this.alerts = [...(open?.alerts ?? []), ...(held?.alerts ?? [])];
    this.orders = orders?.orders ?? [];
    this.changed();
  }

  // Many alerts at once are one look.
  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.load();
    }, 1000);
  }

  // A button of the list: its data-act on its data-alert.
  press(button, say) {
    if (button) this.act(button.dataset.act, button.dataset.alert, button, say);
  }

  heldStations() {
    return new Set(this.alerts.filter((a) => a.state === "acknowledged").map((a) => a.station));
  }

  async act(what, id, button, say) {
    const alert = this.alerts.find((a) => a.id === id);
    if (what === "look") return location.assign(`/stations/${encodeURIComponent(alert.station)}`);
    button.disabled = true;
    const done =
      what === "acknowledge"
        ? await this.#post(`/api/v1/alerts/${encodeURIComponent(id)}/acknowledge`, {})
        : await this.#post("/api/v1/orders", { alert: id });
    button.disabled = false;
    if (done) await this.load();
    else button.textContent = say("failed");
  }

  #get(url) {
    return fetch(url, { credentials: "same-origin" })
      .then((r) => (r.ok ? r.json() : null))
      .catch(() => null);
  }

  #post(url, body) {
    return fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })
      .then((r) => r.ok)
      .catch(() => false);
  }
}
