import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { monotonicMs } from "@verai/system/clock";

/**
 * Watches for input at terminals (consoles, pseudo-terminals of a desktop or of ssh), as `w` reckons it: by the times at
 * which they were last read. Graphical programs do not show there, but by the load they cause.
 *
 * Such a time is a date. It is held against this machine's date once, at the first look; from then on only a change of it
 * counts, so that a clock that is set makes nobody present or away.
 */
export class InputMonitor {
  readonly #devices: string;
  readonly #now: () => number;
  readonly #date: () => number;
  #times: ReadonlyMap<string, number> | undefined;
  /** When there was input last, by the monotonic clock. */
  #last = -Infinity;

  /**
   * @param devices Where device files are.
   * @param now Monotonic clock, milliseconds.
   * @param date Milliseconds since 1970.
   */
  constructor(devices = "/dev", now: () => number = monotonicMs, date: () => number = () => Date.now()) {
    this.#devices = devices;
    this.#now = now;
    this.#date = date;
  }

  /** Seconds since somebody last typed; Infinity if there was no terminal so far. */
  async secondsSince(): Promise<number> {
    const times = await this.#read();
    const before = this.#times;
    this.#times = times;
    const now = this.#now();
    if (!before) {
      const newest = Math.max(-Infinity, ...times.values());
      this.#last = now - Math.max(0, this.#date() - newest);
    } else if ([...times].some(([name, at]) => before.get(name) !== at)) {
      this.#last = now;
    }
    return (now - this.#last) / 1000;
  }

  async #read(): Promise<Map<string, number>> {
    const consoles = (await readdir(this.#devices).catch(() => [])).filter((name) => /^tty\d+$/.test(name));
    const terminals = (await readdir(join(this.#devices, "pts")).catch(() => [])).filter((name) => /^\d+$/.test(name));
    const files = [...consoles, ...terminals.map((name) => join("pts", name))];
    const times = new Map<string, number>();
    for (const name of files) {
      const seen = await stat(join(this.#devices, name)).catch(() => undefined);
      if (seen) times.set(name, seen.atimeMs);
    }
    return times;
  }
}
