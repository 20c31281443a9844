// The server's time on a machine whose own clock may be wrong.
//
// A server stamp T received at local moment m proves: it is now at least T. So the estimate is the largest of all
// (T - m) heard on this connection; the error is the shortest delay seen, some milliseconds, and always to the late side
// by no more than that. Old stamps fade by 0.2 ms a second, more than any crystal strays. Local moments come from performance.now(), which nobody can set; but it may stand still while a machine
// sleeps, so a leap of the wall clock forwards counts too: better grey too early than too late.
// Before the first stamp nothing is known, and nothing is shown as live.

const wall = () => Date.now();
const steady = () => performance.now();

export class ServerClock {
  /** @type {number | null} */
  #offset = null; // server ms = steady ms + offset
  #heard = 0; // steady ms
  /** @type {number | null} */
  #drift = null; // wall ms - steady ms when last looked at
  #leapt = false; // the wall clock jumped ahead: asleep, or set by hand? The next fresh stamp knows

  // A stamp of the server's: ms since 1970. `fresh` stamps were made when sent; others only bound from below.
  /**
   * @param {number | null} stamp
   * @param {{fresh?: boolean}} options
   */
  hear(stamp, { fresh = false } = {}) {
    if (stamp === null || !Number.isFinite(stamp)) return;
    this.#leap();
    const moment = steady();
    const offset = stamp - moment;
    if (this.#offset !== null) this.#offset -= (moment - this.#heard) * 2e-4;
    this.#heard = moment;
    // A server whose clock was set back by more than any delay explains is believed when it speaks freshly.
    const ahead = this.#offset === null ? -1 : this.#offset - offset;
    if (ahead < 0 || (fresh && (this.#leapt || ahead > 5000))) this.#offset = offset;
    if (fresh) this.#leapt = false;
  }

  get known() {
    return this.#offset !== null;
  }

  // Server time in ms, or null.
  now() {
    this.#leap();
    return this.#offset === null ? null : steady() + this.#offset;
  }

  // For the clock on the wall: the best we have.
  show() {
    return this.now() ?? wall();
  }

  #leap() {
    const drift = wall() - steady();
    const ahead = this.#drift === null ? 0 : drift - this.#drift;
    this.#drift = drift;
    if (this.#offset === null || ahead < 2000) return;
    this.#offset += ahead;
    this.#leapt = true;
  }
}
