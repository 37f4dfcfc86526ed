import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { LocalStore } from "@verai/checkpoint-store/local";
import { DataDirectory } from "@verai/system/data-directory";
import { ownIdentity, type ProcessIdentity } from "@verai/system/process-identity";
import type { FaultCase, FaultContext } from "@verai/devnet/fault-case";
import type { Child } from "./child.ts";
import { type ChildOptions, moduleUrl, runProgram, runScript } from "./child.ts";

const HOLD = `import { DataDirectory } from ${JSON.stringify(moduleUrl("packages/system/data-directory.ts"))};
  await DataDirectory.lock(process.argv[1]).then(
    () => { console.log("taken"); setInterval(() => {}, 1000); },
    (error) => { console.log(error.code + ": " + error.message); });`;

/** Another process that takes the directory and holds it. */
async function held(directory: string, options: ChildOptions): Promise<Child> {
  const child = runScript(HOLD, [directory], options);
  await child.says(/taken/);
  return child;
}

const refused = (directory: string, pattern: RegExp) => assert.rejects(DataDirectory.lock(directory), pattern);

async function taken(directory: string): Promise<void> {
  const lock = await DataDirectory.lock(directory);
  await lock.release();
  assert.deepEqual(await readdir(join(directory, "lock")), [], "nothing is left of any lock");
}

/** A claim that is on disk, as a process leaves it that did not end by itself. */
async function claim(directory: string, content: object | string): Promise<void> {
  const name = join(directory, "lock", randomUUID());
  await mkdir(join(directory, "lock"), { recursive: true });
  await writeFile(`${name}.json`, typeof content === "string" ? content : JSON.stringify(content));
  await writeFile(`${name}.held`, "");
}

const staleClaims: readonly [string, (self: ProcessIdentity) => object | string][] = [
  ["of a process that is gone", (self) => ({ ...self, pid: 2 ** 22 + 1 })],
  ["whose number another process has now", (self) => ({ ...self, started: "1" })],
  ["that is empty, as a loss of power leaves it", () => ""],
  ["that is filled with zeros", () => "\0".repeat(200)],
  ["that is cut off", () => '{"pid":17,"host":"he'],
  ["that names every process at once", () => '{"pid":-1,"host":"here"}'],
];

/** A configuration that is read before any chain is reached. */
async function configured(context: FaultContext, name: string, more: object): Promise<[string, string]> {
  const dataDir = join(context.directory, "data");
  await mkdir(join(dataDir, "store", "tmp"), { recursive: true });
  await writeFile(join(dataDir, "store", "tmp", "half-written"), "by the process that has the directory");
  const network = { rpcUrl: "http://127.0.0.1:1", chainId: LOCAL_CHAIN_ID };
  const file = join(context.directory, name);
  await writeFile(file, JSON.stringify({ network, dataDir, ...more }));
  return [dataDir, file];
}

const node = {
  class: "cpu/eu",
  capacity: 1,
  ask: "0.001",
  powerThreshold: 100,
  powerMax: 200,
  energySource: "grid",
};

const programs: readonly [string, object, (config: string, directory: string) => Promise<string[]>][] = [
  [
    "agent/main.ts",
    { operator: { testAccount: 1 }, node, service: { port: 0 } },
    async (config) => ["run", "--config", config],
  ],
  ["keepers/main.ts", { service: { port: 0 } }, async (config) => ["run", "--config", config]],
  ["developer/main.ts", { key: { testAccount: 1 } }, async (config) => ["follow", "--config", config, "--task", "1"]],
];

/** Two processes, one directory. */
export const LOCK_CASES: readonly FaultCase[] = [
  {
    name: "a second process on a directory that is in use",
    run: async ({ directory, signal }) => {
      const child = await held(directory, { signal });
      const before = await readdir(join(directory, "lock"));
      await refused(directory, new RegExp(`process ${String(child.process.pid)} on .*stop that process first`));
      assert.deepEqual(await readdir(join(directory, "lock")), before);
    },
  },
  {
    name: "a second store on the directory of one that is adding",
    run: async ({ directory }) => {
      const store = new LocalStore(directory);
      await store.open();
      try {
        const adding = Array.from({ length: 8 }, (_, i) => store.addFile(Buffer.alloc(2 ** 20, i), { pin: "x" }));
        for (let i = 0; i < 5; i++) {
          await assert.rejects(new LocalStore(directory).open(), { code: "IN_USE" });
        }
        for (const { cid } of await Promise.all(adding)) assert.ok(await store.has(cid));
      } finally {
        await store.close();
      }
      await taken(directory);
    },
  },
  {
    name: "a second process that reaches the directory by a link",
    run: async ({ directory, signal }) => {
      const [real, link] = [join(directory, "real"), join(directory, "link")];
      await mkdir(real);
      await symlink(real, link);
      await held(real, { signal });
      await refused(link, /in use by process/);
    },
  },
  {
    name: "a holder that is killed",
    run: async ({ directory, signal }) => {
      const child = await held(directory, { signal });
      child.process.kill("SIGKILL");
      await child.ended;
      await taken(directory);
    },
  },
  {
    name: "a holder that is stopped, and lives",
    run: async ({ directory, signal }) => {
      const child = await held(directory, { signal });
      child.process.kill("SIGSTOP");
      await refused(directory, /in use by process/);
      child.process.kill("SIGCONT");
    },
  },
  {
    name: "six processes that start at the same moment",
    run: async ({ directory, signal }) => {
      const children = Array.from({ length: 6 }, () => runScript(HOLD, [directory], { signal }));
      const said = await Promise.all(children.map((child) => child.says(/taken|DIRECTORY_IN_USE/)));
      assert.equal(said.filter((line) => line.includes("taken")).length, 1, said.join());
    },
  },
  {
    name: "eight that start at the same moment over the lock of a dead one",
    run: async ({ directory }) => {
      await claim(directory, { ...(await ownIdentity()), pid: 2 ** 22 + 1 });
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => DataDirectory.lock(directory)));
      const won = tries.filter((each) => each.status === "fulfilled");
      assert.equal(won.length, 1);
      await won[0]?.value.release();
    },
  },
  ...staleClaims.map(([what, content]): FaultCase => ({
    name: `a lock ${what}`,
    run: async ({ directory }) => {
      await claim(directory, content(await ownIdentity()));
      await taken(directory);
    },
  })),
  {
    name: "a directory in the place of a lock",
    run: async ({ directory }) => {
      await mkdir(join(directory, "lock", `${randomUUID()}.json`), { recursive: true });
      await (await DataDirectory.lock(directory)).release();
    },
  },
  {
    name: "a holder in another container that is dead",
    run: async ({ directory }) => {
      await claim(directory, { ...(await ownIdentity()), namespace: "pid:[1]", pid: 1 });
      await (await DataDirectory.lock(directory, { watchMs: 500 })).release();
    },
  },
  {
    name: "a holder in another container that lives",
    slow: true,
    run: async ({ directory, signal }) => {
      await held(directory, {
        signal,
        namespaces: ["--pid", "--fork", "--kill-child"],
        shell: "mount -t proc proc /proc",
      });
      await refused(directory, /in use by process 1 on /);
    },
  },
  {
    name: "a holder on a machine that restarted or is gone",
    slow: true,
    run: async ({ directory }) => {
      await claim(directory, { ...(await ownIdentity()), boot: "another", host: "another" });
      const began = performance.now();
      await taken(directory);
      assert.ok(performance.now() - began > 10_000, "it was watched for a sign of life");
    },
  },
  {
    name: "a lock that somebody deletes under its holder",
    slow: true,
    run: async ({ directory }) => {
      const lost = Promise.withResolvers<string>();
      const lock = await DataDirectory.lock(directory, { onLost: ({ message }) => lost.resolve(message) });
      await rm(join(directory, "lock"), { recursive: true });
      assert.match(await lost.promise, /was taken away/);
      await lock.release();
    },
  },
  {
    name: "a file in the place of the data directory",
    run: async ({ directory }) => {
      const file = join(directory, "data");
      await writeFile(file, "kept");
      await refused(file, /cannot be locked .*a file is in its place/);
      assert.equal(await readFile(file, "utf8"), "kept");
    },
  },
  {
    name: "a file in the place of the folder of locks",
    run: async ({ directory }) => {
      await writeFile(join(directory, "lock"), "kept");
      await refused(directory, /cannot be locked .*a file is in its place/);
    },
  },
  {
    name: "a data directory on a file system that is read-only",
    run: async ({ directory, signal }) => {
      const shell = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"';
      const child = runScript(HOLD, [directory], { signal, shell });
      await child.says(/DIRECTORY_UNUSABLE: .*\(EROFS\).*read-only; use another directory/);
    },
  },
  {
    name: "a data directory of another user",
    run: async ({ directory, signal }) => {
      const own = join(directory, "own");
      await mkdir(own, { mode: 0o500 });
      const child = runScript(HOLD, [own], { signal, ...(process.getuid?.() === 0 && { uid: 65534 }) });
      await child.says(/DIRECTORY_UNUSABLE: .*\(EACCES\).*let this user own it/);
    },
  },
  {
    name: "a data directory on a disk that is full",
    run: async ({ directory, signal }) => {
      const shell = 'mount -t tmpfs -o size=16k tmpfs "$1" && { cat /dev/zero > "$1/ballast" || true; } 2> /dev/null';
      const child = runScript(HOLD, [directory], { signal, shell });
      await child.says(/DIRECTORY_UNUSABLE: .*\(ENOSPC\).*disk is full; free some space/);
    },
  },
  ...programs.map(([program, config, args]): FaultCase => ({
    name: `a second ${program.split("/")[0] ?? ""} on the data directory of one that runs`,
    slow: true,
    run: async (context) => {
      const [dataDir, file] = await configured(context, "config.json", config);
      const lock = await DataDirectory.lock(dataDir);
      try {
        const before = await readdir(dataDir, { recursive: true });
        const child = runProgram(program, await args(file, dataDir), { signal: context.signal });
        assert.equal(await child.ended, 1, child.said);
        assert.match(child.said, new RegExp(`in use by process ${String(process.pid)} on .*stop that process first`));
        assert.deepEqual(await readdir(dataDir, { recursive: true }), before, "nothing was changed");
      } finally {
        await lock.release();
      }
    },
  })),
  {
    name: "a user whose files others could read by default",
    run: async ({ directory, signal }) => {
      const script = `process.umask(0o002);
        const { withDirectory } = await import(${JSON.stringify(moduleUrl("packages/process/data.ts"))});
        const { LocalStore } = await import(${JSON.stringify(moduleUrl("packages/checkpoint-store/local.ts"))});
        const { mkdir, writeFile } = await import("node:fs/promises");
        const log = { warn() {}, fatal() {} };
        const root = process.argv[1] + "/data";
        await withDirectory([root], log, undefined, async () => {
          const store = new LocalStore(root + "/store");
          await store.open();
          await store.addFile(Buffer.from("content"), { pin: "x" });
          await mkdir(root + "/leases/1-1", { recursive: true });
          await writeFile(root + "/leases/1-1/notes", "by what runs in this process");
          await store.close();
        });`;
      const child = runScript(script, [directory], { signal });
      assert.equal(await child.ended, 0, child.said);
      const root = join(directory, "data");
      const names = await readdir(root, { recursive: true });
      assert.ok(names.length > 8);
      for (const name of ["", ...names]) {
        const { mode } = await stat(join(root, name));
        assert.equal(mode & 0o077, 0, `${name} has mode ${(mode & 0o777).toString(8)}`);
      }
    },
  },
];
