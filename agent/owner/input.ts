import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Seconds since somebody last typed into a terminal (a console, a pseudo-terminal of a desktop or of ssh), as `w` reckons
 * it: by the time at which the terminal was last read. Graphical programs do not show there, but by the load they cause.
 *
 * @param devices Where device files are.
 * @param now Milliseconds since 1970.
 * @returns Infinity if there is no terminal.
 */
export async function secondsSinceInput(devices = "/dev", now = Date.now()): Promise<number> {
  const consoles = (await readdir(devices).catch(() => [])).filter((name) => /^tty\d+$/.test(name));
  const terminals = (await readdir(join(devices, "pts")).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const files = [...consoles, ...terminals.map((name) => join("pts", name))];
  const times = await Promise.all(
    files.map((name) =>
      stat(join(devices, name)).then(
        ({ atimeMs }) => atimeMs,
        () => -Infinity,
      ),
    ),
  );
  return Math.max(0, (now - Math.max(-Infinity, ...times)) / 1000);
}
