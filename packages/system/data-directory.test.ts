import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { DataDirectory } from "./data-directory.ts";
import { lifeOf, ownIdentity, parseStat, type ProcessIdentity } from "./process-identity.ts";

const MODULE = new URL("data-directory.ts", import.meta.url).href;
const TOKEN = "0f8fad5b-d9cb-469f-a165-70867728950e";

async function directoryOf(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "drmp-lock-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Another process that takes the directory, and holds it if it gets it. @returns its first line. */
async function taker(context: TestContext, directory: string): Promise<{ child: ChildProcess; said: string }> {
  const script = `import { DataDirectory } from ${JSON.stringify(MODULE)};
    await DataDirectory.lock(process.argv[1]).then(
      () => { console.log("taken"); setInterval(() => {}, 1000); },
      (error) => { console.log(error.message); });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, said: String(said) };
}

async function putClaim(directory: string, claim: object | string): Promise<string> {
  const file = join(directory, "lock", `${TOKEN}.json`);
  await mkdir(join(directory, "lock"), { recursive: true });
  await writeFile(file, typeof claim === "string" ? claim : JSON.stringify(claim));
  await writeFile(file.replace(".json", ".held"), "");
  return file;
}

test("a directory is one process's; a second start changes nothing and names the first", async (context) => {
  const directory = await directoryOf(context);
  const lock = await DataDirectory.lock(directory);
  const before = await readdir(join(directory, "lock"));
  const { said } = await taker(context, directory);
  assert.match(said, new RegExp(`in use by process ${String(process.pid)} on .*stop that process`));
  assert.deepEqual(await readdir(join(directory, "lock")), before);
  await assert.rejects(DataDirectory.lock(directory), /in use by this very process/);
  await lock.release();
  assert.deepEqual(await readdir(join(directory, "lock")), []);
  await (await DataDirectory.lock(directory)).release();
});

test("a process that was killed leaves a lock that the next start takes over", async (context) => {
  const directory = await directoryOf(context);
  const { child, said } = await taker(context, directory);
  assert.match(said, /taken/);
  await assert.rejects(DataDirectory.lock(directory), new RegExp(`process ${String(child.pid)} `));
  child.kill("SIGKILL");
  await once(child, "exit");
  const lines: string[] = [];
  const lock = await DataDirectory.lock(directory, { log: { warn: (_, message) => lines.push(message) } });
  assert.match(lines.join(), /without giving the data directory back/);
  assert.equal((await readdir(join(directory, "lock"))).length, 2);
  await lock.release();
});

test("of many that start at the same moment over a stale lock, exactly one gets the directory", async (context) => {
  const directory = await directoryOf(context);
  const self = await ownIdentity();
  await putClaim(directory, { ...self, pid: 2 ** 22 + 1, started: "1" });
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => DataDirectory.lock(directory)));
  assert.equal(tries.filter(({ status }) => status === "fulfilled").length, 1);
  for (const each of tries) if (each.status === "fulfilled") await each.value.release();
});

test("a number that was given to another process since is no holder", async (context) => {
  const directory = await directoryOf(context);
  const self = await ownIdentity();
  await putClaim(directory, { ...self, started: "1" });
  const lock = await DataDirectory.lock(directory);
  await lock.release();
});

for (const [what, claim] of [
  ["empty", ""],
  ["cut", '{"pid":1'],
  ["of zeros", "\0\0\0\0"],
  ["without a number", '{"host":"here"}'],
] as const) {
  test(`a lock file that is ${what}, as a power cut leaves it, holds nobody up`, async (context) => {
    const directory = await directoryOf(context);
    await putClaim(directory, claim);
    await (await DataDirectory.lock(directory)).release();
    assert.deepEqual(await readdir(join(directory, "lock")), []);
  });
}

test("a holder on another machine is believed while it touches its lock, and no longer", async (context) => {
  const directory = await directoryOf(context);
  const claim = {
    pid: 7,
    host: "elsewhere",
    boot: "other",
    namespace: "pid:[1]",
    started: "1",
    program: "agent/main.ts",
  };
  const file = await putClaim(directory, claim);
  let beats = 0;
  const beating = setInterval(() => void utimes(file, ++beats, beats), 20);
  await assert.rejects(
    DataDirectory.lock(directory, { watchMs: 2_000 }),
    /process 7 on elsewhere \(agent\/main\.ts, since/,
  );
  clearInterval(beating);
  const lock = await DataDirectory.lock(directory, { watchMs: 100 });
  await lock.release();
});

test("who loses the lock is told", async (context) => {
  const directory = await directoryOf(context);
  context.mock.timers.enable({ apis: ["setInterval"] });
  const lost = Promise.withResolvers<string>();
  const lock = await DataDirectory.lock(directory, { onLost: ({ message }) => lost.resolve(message) });
  await rm(join(directory, "lock"), { recursive: true });
  context.mock.timers.tick(3_000);
  assert.match(await lost.promise, /was taken away/);
  await lock.release();
});

test("a directory that cannot be written to says so", async (context) => {
  const directory = await directoryOf(context);
  await writeFile(join(directory, "file"), "kept");
  await assert.rejects(DataDirectory.lock(join(directory, "file")), /cannot be locked .*a file is in its place/);
  assert.equal(await readFile(join(directory, "file"), "utf8"), "kept");
});

test("what is known of a process's life", async () => {
  const self: ProcessIdentity = { pid: 1, host: "h", boot: "b", namespace: "n", started: "100" };
  const stat = (state: string, started: string) => `7 (a) b) ${state} ${"0 ".repeat(18)}${started} 0`;
  assert.deepEqual(parseStat(stat("S", "55")), { state: "S", started: "55" });
  const life = async (other: Partial<ProcessIdentity>, line: string | undefined, exists = true, own = self) =>
    lifeOf({ ...self, pid: 7, started: "55", ...other }, own, { stat: async () => line, exists: () => exists });
  assert.equal(await life({}, stat("S", "55")), "alive");
  assert.equal(await life({}, stat("S", "56")), "dead");
  assert.equal(await life({}, stat("Z", "55")), "dead");
  assert.equal(await life({}, undefined, false), "dead");
  // Hidden from this user.
  assert.equal(await life({}, undefined, true), "unknown");
  assert.equal(await life({ started: undefined }, stat("S", "56")), "unknown");
  // The same number in another container, on another machine, before a restart of this one.
  assert.equal(await life({ namespace: "m" }, stat("S", "55")), "unknown");
  assert.equal(await life({ boot: "c" }, undefined, false), "unknown");
  // Without /proc.
  const bare = { ...self, boot: undefined, namespace: undefined };
  assert.equal(await life(bare, undefined, false, bare), "dead");
  assert.equal(await life(bare, undefined, true, bare), "unknown");
  assert.equal(await life({ ...bare, host: "i" }, undefined, false, bare), "unknown");
});
