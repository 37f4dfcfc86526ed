import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

/** A process that listens on a port. */
export interface Holder {
  readonly pid: number;
  readonly command: string;
}

/** State of a listening socket in /proc/net/tcp. */
const LISTENING = "0A";

/** Characters of a command line that are shown. */
const SHOWN = 120;

/** Inodes of the sockets that listen on a port, from the text of /proc/net/tcp or tcp6. Pure. */
export function listenersOf(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => local.split(":").at(-1) === wanted && state === LISTENING)
    .flatMap(([, , , , , , , , , inode]) => (inode === undefined ? [] : [inode]));
}

/** Who listens on a port of this machine; undefined where that cannot be learnt, as of another user's process. */
export async function holderOf(port: number): Promise<Holder | undefined> {
  return process.platform === "linux" ? linuxHolder(port) : otherHolder(port);
}

async function linuxHolder(port: number): Promise<Holder | undefined> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  const sockets = new Set(tables.flatMap((table) => listenersOf(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // Other users' processes do not show their files.
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => "");
      if (!sockets.has(target)) continue;
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return { pid: Number(pid), command: shown(line.replaceAll("\0", " ")) };
    }
  }
  return undefined;
}

/** Where there is no /proc: as `lsof` says, if it is installed. */
async function otherHolder(port: number): Promise<Holder | undefined> {
  const run = promisify(execFile);
  try {
    const { stdout: found } = await run("lsof", ["-nP", `-iTCP:${String(port)}`, "-sTCP:LISTEN", "-t"], {
      timeout: 5000,
    });
    const pid = Number(found.trim().split("\n")[0]);
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    const { stdout } = await run("ps", ["-o", "command=", "-p", String(pid)], { timeout: 5000 });
    return { pid, command: shown(stdout) };
  } catch {
    return undefined;
  }
}

function shown(command: string): string {
  const text = command.trim().replaceAll(/\s+/g, " ");
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
