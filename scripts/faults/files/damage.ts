import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { z } from "zod";

import { LeaseFolder, Workspace } from "@verai/agent/lease/workspace";
import { Specs } from "@verai/agent/lease/specs";
import { ReportJournal } from "@verai/agent/telemetry/report-journal";
import { loadIdentity } from "@verai/checkpoint-store/identity";
import { LocalStore } from "@verai/checkpoint-store/local";
import { silentLog } from "@verai/checkpoint-store/log";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import { encodeState } from "@verai/system/state-file";
import { endLeftover, writeRecord } from "@verai/executor/process/record";
import { specBytes } from "@verai/executor/spec";
import type { FaultCase } from "@verai/devnet/fault-case";

/** What happens to a file on a disk that fails, fills up, or is shared with careless people. */
interface Damage {
  readonly how: string;
  /** Only for files of JSON. */
  readonly json?: true;
  readonly apply: (file: string) => Promise<unknown>;
}

const DAMAGES: readonly Damage[] = [
  { how: "emptied", apply: (file) => truncate(file, 0) },
  { how: "cut in half", apply: async (file) => truncate(file, (await stat(file)).size >> 1) },
  { how: "filled with zeros", apply: async (file) => writeFile(file, Buffer.alloc((await stat(file)).size)) },
  { how: "scrambled", apply: async (file) => writeFile(file, noise((await stat(file)).size).reverse()) },
  { how: "with one bit flipped", apply: (file) => flip(file) },
  { how: "of another kind", json: true, apply: (file) => writeFile(file, '{"things":[1,2,3]}') },
  {
    how: "of a later version",
    json: true,
    apply: async (file) => {
      const state = z.looseObject({ checksum: z.string() }).parse(JSON.parse(await readFile(file, "utf8")));
      const { checksum: _, version: __, ...rest } = state;
      await writeFile(file, encodeState({ what: "", schema: z.looseObject({}), version: 99 }, rest));
    },
  },
  { how: "replaced by a directory", apply: (file) => rm(file).then(() => mkdir(join(file, "x"), { recursive: true })) },
  {
    how: "replaced by a named pipe",
    apply: async (file) => {
      await rm(file);
      assert.equal(spawnSync("mkfifo", [file]).status, 0);
    },
  },
  { how: "replaced by a link to itself", apply: (file) => rm(file).then(() => symlink(file, file)) },
  { how: "grown to a terabyte", apply: (file) => truncate(file, 2 ** 40) },
];

/** A file that the project keeps state in. */
interface Target {
  readonly what: string;
  readonly json?: true;
  /** Writes it, and others beside it. @returns where it is. */
  readonly make: (directory: string) => Promise<string>;
  /** Opens the directory again, with the file damaged, and goes on working. */
  readonly goOn: (directory: string, log: Lines) => Promise<void>;
  /** Whether the damaged file is deleted rather than set aside: its content can be had again by its hash. */
  readonly deleted?: true;
}

/** Log lines, as the parts under test write them. */
class Lines {
  readonly all: string[] = [];
  readonly error = (_: object, message: string): void => void this.all.push(message);
  readonly warn = this.error;
  readonly info = (): void => undefined;
  readonly debug = (): void => undefined;
}

const lease = (leaseId: number) => ({ leaseId, fence: 1, taskId: 5, start: leaseId * 2, count: 2, restored: true });
const sample = {
  seconds: 5,
  load: 0.5,
  joules: 100,
  renewableJoules: 0,
  method: "rapl",
  idleUnitSeconds: 0,
  leases: [],
} as const;
const SPEC = specBytes({
  version: 1,
  name: "digits",
  trainer: "digits",
  args: ["--epochs", "4"],
  resources: { cpus: 1, memoryMiB: 256 },
  checkpoint: { intervalSeconds: 10 },
  outputs: ["model.json"],
  timeouts: { unitSeconds: 600 },
});

const TARGETS: readonly Target[] = [
  {
    what: "the record of one lease of three",
    json: true,
    make: async (directory) => {
      const space = new Workspace(directory);
      for (const id of [1, 2, 3]) await space.folder(id, 1).remember(lease(id));
      return join(directory, "2-1", "lease.json");
    },
    goOn: async (directory, log) => {
      const ids = async () => (await new Workspace(directory, log).records()).map(({ leaseId }) => leaseId).toSorted();
      assert.deepEqual(await ids(), [1, 3], "the other leases go on");
      await new Workspace(directory, log).folder(2, 1).remember(lease(2));
      assert.deepEqual(await ids(), [1, 2, 3]);
    },
  },
  {
    what: "the count of a unit's starts",
    json: true,
    make: async (directory) => {
      const folder = new LeaseFolder(directory);
      for (const unit of [0, 1, 0, 1]) await folder.nextAttempt(unit);
      return join(directory, "unit-0", "attempts.json");
    },
    goOn: async (directory, log) => {
      const folder = new LeaseFolder(directory, log);
      assert.deepEqual([await folder.nextAttempt(0), await folder.nextAttempt(1)], [1, 3]);
      assert.equal(await folder.nextAttempt(0), 2);
    },
  },
  {
    what: "the report journal",
    json: true,
    make: async (directory) => {
      const file = join(directory, "reports.json");
      const book = await ReportJournal.open(file);
      await book.add(sample);
      return file;
    },
    goOn: async (directory, log) => {
      const book = await ReportJournal.open(join(directory, "reports.json"), log);
      assert.equal(book.openSeconds, 0, "nothing of a damaged book is reported");
      await book.add({ ...sample, joules: 7 });
      assert.equal((await ReportJournal.open(join(directory, "reports.json"), log)).openSeconds, 5);
    },
  },
  {
    what: "one pin of two",
    json: true,
    make: async (directory) => {
      const pins = await inStore(directory, silentLog, async (store) => {
        const [first] = [
          await store.addFile(noise(5000), { pin: "a" }),
          await store.addFile(noise(6000), { pin: "b" }),
        ];
        return first.cid.toString();
      });
      return join(directory, "pins", `${pins}.json`);
    },
    goOn: (directory, log) =>
      inStore(directory, log, async (store) => {
        assert.deepEqual(
          store.list().map(({ labels }) => labels),
          [["b"]],
        );
        await store.addFile(noise(5000), { pin: "a" });
        assert.equal(store.list().length, 2);
      }),
  },
  {
    what: "a block of a checkpoint",
    deleted: true,
    make: async (directory) => {
      await inStore(directory, silentLog, (store) => store.addFile(noise(5000), { pin: "a" }));
      return findBlock(directory);
    },
    goOn: (directory, log) =>
      inStore(directory, log, async (store) => {
        const cid = store.list()[0]?.cid ?? "";
        assert.equal(await store.has(cid), false, "what is damaged does not count as here");
        await store.addFile(noise(5000), { pin: "a" });
        assert.equal(await store.has(cid), true);
      }),
  },
  {
    what: "the peer key",
    make: async (directory) => identity(directory, silentLog).then(() => join(directory, "identity.key")),
    goOn: (directory, log) => sameIdentity(directory, log, "identity.key"),
  },
  {
    what: "the second copy of the peer key",
    make: async (directory) => identity(directory, silentLog).then(() => join(directory, "identity.key.copy")),
    goOn: (directory, log) => sameIdentity(directory, log, "identity.key.copy"),
  },
  {
    what: "the record of a unit's process",
    json: true,
    make: async (directory) => {
      await writeRecord(directory, process.pid);
      return join(directory, "process.json");
    },
    goOn: async (directory) => {
      assert.equal(await endLeftover(directory), undefined, "nothing is ended for a record that is damaged");
      const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
      const ended = once(child, "exit");
      await once(child, "spawn");
      await writeRecord(directory, child.pid ?? 0);
      assert.equal(await endLeftover(directory), child.pid);
      await ended;
    },
  },
  {
    what: "the copy of a task's spec",
    make: (directory) =>
      withSpecs(directory, new Lines(), async (specs, id, cid) => {
        await specs.get(id, 5000, new AbortController().signal, { taskId: 1 });
        return join(directory, "specs", cid);
      }),
    goOn: (directory, log) =>
      withSpecs(directory, log, async (specs, id) => {
        const spec = await specs.get(id, 5000, new AbortController().signal, { taskId: 1 });
        assert.deepEqual(spec.args, ["--epochs", "4"], "trained with what the chain says");
      }),
  },
];

/** Every kind of state file with every damage that it can have. */
export const DAMAGE_CASES: readonly FaultCase[] = TARGETS.flatMap((target) =>
  DAMAGES.filter(({ json }) => json === undefined || target.json === true).map(({ how, apply }) => ({
    name: `${target.what} ${how}`,
    run: async ({ directory }) => {
      const file = await target.make(directory);
      await apply(file);
      const log = new Lines();
      await target.goOn(directory, log);
      const bad = (await readdir(dirname(file))).filter((name) => name.endsWith(".bad"));
      if (target.deleted === true) return;
      assert.deepEqual(bad, [`${basename(file)}.bad`], "set aside");
      if (target.what !== "the record of a unit's process") {
        assert.ok(
          log.all.some((line) => line.includes(`${file}.bad`)),
          `it is told: ${log.all.join()}`,
        );
      }
    },
  })),
);

async function inStore<T>(directory: string, log: Lines | typeof silentLog, work: (store: LocalStore) => Promise<T>) {
  const store = new LocalStore(directory, log);
  await store.open();
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function findBlock(directory: string): Promise<string> {
  const entries = await readdir(join(directory, "blocks"), { recursive: true, withFileTypes: true });
  const file = entries.find((entry) => entry.isFile());
  assert.ok(file);
  return join(file.parentPath, file.name);
}

const identity = (directory: string, log: Lines | typeof silentLog) =>
  loadIdentity(join(directory, "identity.key"), directory, log);

async function sameIdentity(directory: string, log: Lines, damaged: string): Promise<void> {
  const file = join(directory, damaged);
  const other = join(directory, damaged === "identity.key" ? "identity.key.copy" : "identity.key");
  const before = await readFile(other);
  await identity(directory, log);
  assert.deepEqual(await readFile(file), before, "both copies are there again, and the same");
  assert.deepEqual(await readFile(other), before);
}

async function withSpecs<T>(
  directory: string,
  log: Lines,
  work: (specs: Specs, id: ReturnType<typeof toChainCid>, cid: string) => Promise<T>,
): Promise<T> {
  const store = new CheckpointStore({ directory: join(directory, "store"), http: false });
  await store.start();
  try {
    const { cid } = await store.addFile(SPEC, { pin: "spec" });
    return await work(new Specs(store, join(directory, "specs"), log), toChainCid(cid), cid.toString());
  } finally {
    await store.stop();
  }
}

/** Bytes that are the same in every run. */
function noise(length: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++)
    parts.push(
      createHash("sha256")
        .update(`noise ${String(i)}`)
        .digest(),
    );
  return Buffer.concat(parts).subarray(0, length);
}

/** Flips the lowest bit of a digit or letter, so that text stays text. */
async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  const isPlain = (byte: number) => (byte >= 0x30 && byte < 0x3a) || (byte > 0x60 && byte < 0x7b);
  let at = bytes.length >> 1;
  while (at < bytes.length - 1 && !isPlain(bytes[at] ?? 0)) at++;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
}
