import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import pg from "pg";

const START_MS = 60_000;
/** Where distributions put it; the newest. */
const BIN = globSync("/usr/lib/postgresql/*/bin").sort().at(-1) ?? "/usr/local/bin";

/** It refuses to run as root: nobody will do. */
const AS = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
/** Its tools write there. */
const NULL = "/dev/null";

/** Why no PostgreSQL can be started here; undefined if one can. */
export const missingPostgres = whyMissing();

function whyMissing(): string | undefined {
  if (!existsSync(join(BIN, "initdb"))) {
    return `there is no PostgreSQL in ${BIN}: install one with \`apt-get install -y --no-install-recommends postgresql\``;
  }
  if (AS && (statSync(NULL).mode & 0o002) === 0)
    return `${NULL} cannot be written by others than root: chmod 666 ${NULL}`;
  return undefined;
}

/** A PostgreSQL of a test's own. */
export interface TestPostgres {
  /** Makes an empty database. @returns Its address. */
  readonly create: (name: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Starts a PostgreSQL that is reached by a socket in a folder of its own, and by nothing else. */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "drmp-postgres-"));
  if (AS) chownSync(folder, AS.uid, AS.gid);
  const data = join(folder, "data");
  const init = [
    "--pgdata",
    data,
    "--username",
    "drmp",
    "--auth",
    "trust",
    "--locale",
    "C",
    "--encoding",
    "UTF8",
    "--no-sync",
  ];
  execFileSync(join(BIN, "initdb"), init, { ...AS, cwd: folder, stdio: "ignore" });
  const options = ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"];
  const server: ChildProcess = spawn(join(BIN, "postgres"), options, {
    ...AS,
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  server.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const stop = async () => {
    if (server.exitCode === null) {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      // Fast: ends connections.
      server.kill("SIGINT");
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for (const end = performance.now() + START_MS; !/ready to accept connections/.test(said); await delay(50)) {
    if (performance.now() < end && server.exitCode === null) continue;
    await stop();
    throw new Error(`PostgreSQL did not start:\n${said.slice(-2_000)}`);
  }
  const urlOf = (name: string) => `postgres://drmp@localhost/${name}?host=${encodeURIComponent(folder)}`;
  const create = async (name: string) => {
    const client = new pg.Client(urlOf("postgres"));
    await client.connect();
    await client.query(`create database ${pg.escapeIdentifier(name)}`);
    await client.end();
    return urlOf(name);
  };
  return { create, stop };
}
