import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, readdir, readFile, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { adoptCheckpoint, bundleCheckpoint, leaseProgress } from "@verai/agent/lease/bundle";
import { writeCounted } from "@verai/agent/lease/progress";
import { LeaseFolder } from "@verai/agent/lease/workspace";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { checkpointName, misnamedCheckpoint } from "@verai/executor/checkpoints";
import { judgeExit, type RawExit } from "@verai/executor/exit";
import { testSpec } from "@verai/executor/testing";
import { pauseBeforeAnother, shouldRestart } from "@verai/executor/restarts";
import { treeBudget, linkTree } from "@verai/executor/snapshot";
import type { FaultCase, FaultKind } from "@verai/devnet/fault-case";

type Make = (at: string) => Promise<unknown>;

/** Makes checkpoints of unit 0, and counts each as it would be posted. */
async function post(directory: string, checkpoints: readonly (readonly [number, string?])[]): Promise<number[]> {
  const folder = new LeaseFolder(join(directory, "1-1"));
  const unit = await folder.unit(0);
  const posted: number[] = [];
  for (const [number, progress] of checkpoints) {
    const path = join(unit.checkpoint, checkpointName(number));
    await mkdir(path);
    await writeFile(join(path, "weights"), String(number));
    if (progress !== undefined) await writeFile(join(path, "progress.json"), progress);
    const reached = posted.at(-1) ?? 0;
    const { fresh } = await leaseProgress(folder, 0, 1);
    assert.ok(fresh, `checkpoint ${String(number)} reads as no headway`);
    posted.push((await bundleCheckpoint(folder, 0, 1, reached)).progress);
    assert.ok(
      (posted.at(-1) ?? 0) > reached,
      `checkpoint ${String(number)} counts ${String(posted.at(-1))}, not above ${String(reached)}`,
    );
  }
  assert.ok(
    posted.every((each) => each > 0 && each < 10_000),
    `out of bounds: ${posted.join()}`,
  );
  return posted;
}

const steps = (from: number, by: number, count = 6): [number][] =>
  Array.from({ length: count }, (_, i) => [from + i * by]);
const saying = (...texts: string[]): [number, string][] => texts.map((text, i) => [i, text]);

const NUMBERS: readonly [name: string, checkpoints: readonly (readonly [number, string?])[]][] = [
  ["by optimiser step, beyond 9,999", steps(9_000, 500)],
  ["by epoch, from 0", steps(0, 1)],
  ["by sample, in millions", steps(1_000_000, 131_072)],
  ["up to the highest number there is", steps(999_999_994, 1)],
  ["with the same progress each time", saying(...Array<string>(6).fill('{"progress": 0.5}'))],
  ["with progress that falls", saying(...[0.9, 0.4, 0.2].map((progress) => JSON.stringify({ progress })))],
  ["with progress 1 from the start", saying(...Array<string>(6).fill('{"progress": 1}'))],
  [
    "with steps smaller than a hundredth of a percent",
    saying(...[0.1, 0.10001, 0.10002].map((progress) => JSON.stringify({ progress }))),
  ],
  [
    "with progress that is no number, out of bounds, or no JSON",
    saying('{"progress": "half"}', '{"progress": -1}', '{"progress": 1e9}', "[0.5]", "{", ""),
  ],
  ["with a progress file of a megabyte", saying(" ".repeat(2 ** 20) + '{"progress": 0.5}', '{"progress": 0.1}')],
];

const numbering: FaultCase[] = NUMBERS.map(([name, checkpoints]) => ({
  name: `checkpoints numbered ${name}`,
  run: async ({ directory }) => void (await post(directory, checkpoints)),
}));

const counting: FaultCase[] = [
  {
    name: "one unit of a lease with high numbers, another with its first checkpoint",
    run: async ({ directory }) => {
      const folder = new LeaseFolder(join(directory, "1-1"));
      await mkdir(join((await folder.unit(0)).checkpoint, checkpointName(30_000)));
      const { progress } = await bundleCheckpoint(folder, 0, 2);
      assert.ok(progress < 10_000, `one unit counts ${String(progress)}`);
      await mkdir(join((await folder.unit(1)).checkpoint, checkpointName(0)));
      assert.ok((await bundleCheckpoint(folder, 0, 2, progress)).progress > progress);
    },
  },
  {
    name: "what counted before, lost or damaged on disk",
    run: async ({ directory }) => {
      const last = (await post(directory, steps(0, 1))).at(-1) ?? 0;
      await writeFile(join(directory, "1-1", "counted.json"), '{"0": {"number": "x"}}');
      const folder = new LeaseFolder(join(directory, "1-1"));
      assert.ok((await bundleCheckpoint(folder, 0, 1, last + 400)).progress > last + 400);
    },
  },
  {
    name: "ten thousand checkpoints without progress",
    run: async ({ directory }) => {
      const folder = new LeaseFolder(join(directory, "1-1"));
      const { checkpoint } = await folder.unit(0);
      await writeCounted(folder.path, new Map([[0, { number: 5, basis: 9_999 }]]));
      await mkdir(join(checkpoint, checkpointName(6)));
      assert.equal((await bundleCheckpoint(folder, 0, 1, 9_999)).progress, 9_999, "it would count as done");
    },
  },
];

const old = new Date(1_000_000);
const MISNAMED: readonly [entry: string, says: RegExp | undefined][] = [
  ["checkpoint-500", /checkpoint-500 is not checkpoint-000000500/],
  ["checkpoint-0000000500", /is not checkpoint-000000500/],
  ["checkpoint_000000500", /is not checkpoint-000000500/],
  ["Checkpoint-000000500", /is not checkpoint-000000500/],
  ["checkpoint-000000500.pt", /is not checkpoint-000000500/],
  ["ckpt-7", /is not checkpoint-000000007/],
  ["epoch=3-step=500.ckpt", /is no checkpoint: name checkpoints/],
  ["global_step500", /is no checkpoint: name checkpoints/],
  ["checkpoint-000000500.tmp", undefined],
  [".cache", undefined],
];

const misnamed: FaultCase[] = [
  ...MISNAMED.map(([entry, says]): FaultCase => ({
    name: `a checkpoint directory with nothing but ${entry}`,
    run: async ({ directory }) => {
      await mkdir(join(directory, entry));
      await utimes(join(directory, entry), old, old);
      const told = await misnamedCheckpoint(directory);
      if (says === undefined) assert.equal(told, undefined);
      else assert.match(told ?? "nothing is said", says);
    },
  })),
  {
    name: "a name on the way to the right one",
    run: async ({ directory }) => {
      await mkdir(join(directory, "checkpoint-500"));
      assert.equal(await misnamedCheckpoint(directory), undefined);
    },
  },
  {
    name: "a link with a checkpoint's name",
    run: async ({ directory }) => {
      await mkdir(join(directory, "real"));
      await symlink("real", join(directory, checkpointName(5)));
      assert.match((await misnamedCheckpoint(directory, 4, Number.MAX_SAFE_INTEGER)) ?? "nothing is said", /is a link/);
    },
  },
];

let store: Promise<CheckpointStore> | undefined;

async function openStore(directory: string): Promise<CheckpointStore> {
  store ??= (async () => {
    // Beside the case's own directory, which is removed after it.
    const opened = new CheckpointStore({ directory: `${directory}-store`, http: false, listen: [] });
    await opened.start();
    return opened;
  })();
  return store;
}

/** What a tree holds: paths, kinds, lengths and contents; links count as what they lead to. */
async function contentOf(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await readdir(directory, { recursive: true })) {
    const path = join(directory, name);
    const { size } = await stat(path);
    const isDirectory = (await stat(path)).isDirectory();
    const content = isDirectory || size > 2 ** 20 ? "" : (await readFile(path)).toString("base64");
    found.set(name, isDirectory ? "directory" : `${String(size)} ${content}`);
  }
  return found;
}

async function roundTrip(directory: string, make: Make): Promise<string> {
  const folder = new LeaseFolder(join(directory, "1-1"));
  const from = join((await folder.unit(0)).checkpoint, checkpointName(1));
  await mkdir(from);
  await make(from);
  const opened = await openStore(directory);
  const { path } = await bundleCheckpoint(folder, 0, 1);
  const { cid, size } = await opened.addDirectory(path);
  const restored = join(directory, "restored");
  // The size is on the chain with the CID, and bounds what a successor takes.
  await opened.fetchTo(cid, restored, { maxBytes: size });
  const successor = new LeaseFolder(join(directory, "2-2"));
  assert.equal(await adoptCheckpoint(successor, 0, 1, restored), 1);
  return join((await successor.unit(0)).checkpoint, checkpointName(1));
}

const file =
  (name: string, content = "x"): Make =>
  async (at) =>
    writeFile(join(at, name), content);
const deep = (levels: number) => join(...Array<string>(levels).fill("d"));

const KEPT: readonly [name: string, make: Make][] = [
  ["nothing in it", async () => Promise.resolve()],
  ["a file of 0 bytes", file("empty", "")],
  ["empty directories", async (at) => mkdir(join(at, "a", "b"), { recursive: true })],
  [
    "64 directories below one another",
    async (at) => {
      await mkdir(join(at, deep(64)), { recursive: true });
      await writeFile(join(at, deep(64), "f"), "bottom");
    },
  ],
  [
    "61 directories, where restoring ended before",
    async (at) => {
      await mkdir(join(at, deep(61)), { recursive: true });
      await writeFile(join(at, deep(61), "f"), "bottom");
    },
  ],
  ["names with a line's end, blanks, %, #, emoji", file("a\nb #?%2F \u{1f600} ")],
  [
    "two names that differ in their Unicode form alone",
    async (at) => {
      await writeFile(join(at, "N\u00e1vrat"), "1");
      await writeFile(join(at, "Na\u0301vrat"), "2");
    },
  ],
  ["a name of 255 bytes", file("n".repeat(255))],
  [
    "names such as __proto__, -rf and con",
    async (at) => {
      for (const name of ["__proto__", "constructor", "-rf", "con", "...", "lost+found"])
        await writeFile(join(at, name), name);
    },
  ],
  [
    "hard links",
    async (at) => {
      await writeFile(join(at, "a"), "same");
      await link(join(at, "a"), join(at, "b"));
    },
  ],
  [
    "a file that nobody may read, to one who may",
    async (at) => {
      await writeFile(join(at, "a"), "x");
      await chmod(join(at, "a"), process.getuid?.() === 0 ? 0 : 0o400);
    },
  ],
  [
    "two thousand files",
    async (at) => {
      for (let i = 0; i < 2000; i++) await writeFile(join(at, `f${String(i)}`), "");
    },
  ],
  [
    "a link to a file beside it",
    async (at) => {
      await writeFile(join(at, "epoch=3.ckpt"), "weights");
      await symlink("epoch=3.ckpt", join(at, "last.ckpt"));
    },
  ],
  [
    "a cache of links into blobs",
    async (at) => {
      await mkdir(join(at, "blobs"));
      await mkdir(join(at, "snapshots", "main"), { recursive: true });
      await writeFile(join(at, "blobs", "1"), "blob");
      await symlink("../../blobs/1", join(at, "snapshots", "main", "model.bin"));
    },
  ],
  [
    "a link to a directory, and one through it",
    async (at) => {
      await mkdir(join(at, "step-1"));
      await writeFile(join(at, "step-1", "w"), "w");
      await symlink("step-1", join(at, "latest"));
      await symlink("latest/w", join(at, "best"));
    },
  ],
];

const kept: FaultCase[] = [
  ...KEPT.map(([name, make]): FaultCase => ({
    name: `a checkpoint with ${name}`,
    run: async ({ directory }) => {
      const back = await roundTrip(directory, make);
      const from = join(directory, "1-1", "unit-0", "checkpoint", checkpointName(1));
      assert.deepEqual(await contentOf(back), await contentOf(from));
    },
  })),
  {
    name: "a sparse file, which stays sparse",
    run: async ({ directory }) => {
      const back = await roundTrip(directory, async (at) => {
        await writeFile(join(at, "sparse"), "head");
        await truncate(join(at, "sparse"), 48 * 2 ** 20);
      });
      const { size, blocks } = await stat(join(back, "sparse"));
      assert.equal(size, 48 * 2 ** 20);
      assert.ok(blocks * 512 < 8 * 2 ** 20, `it takes ${String(blocks * 512)} bytes`);
    },
  },
  {
    name: "a file of more than 2 GiB",
    slow: true,
    timeoutMs: 300_000,
    run: async ({ directory }) => {
      const size = 2 ** 31 + 12_345;
      const back = await roundTrip(directory, async (at) => {
        await writeFile(join(at, "large"), "head");
        await truncate(join(at, "large"), size);
      });
      assert.equal((await stat(join(back, "large"))).size, size);
    },
  },
];

const REFUSED: readonly [name: string, make: Make, says: RegExp][] = [
  ["an absolute link", async (at) => symlink("/etc/passwd", join(at, "zz")), /zz is an absolute link/],
  ["a link that leads out of it", async (at) => symlink("../../unit.log", join(at, "zz")), /leads out of its tree/],
  [
    "a link to the checkpoint beside it",
    async (at) => symlink("../checkpoint-000000000/w", join(at, "zz")),
    /leads out of its tree/,
  ],
  [
    "a link out of it by way of a link inside",
    async (at) => {
      await mkdir(join(at, "a"));
      await symlink("../..", join(at, "a", "up"));
      await symlink("a/up/x", join(at, "zz"));
    },
    /leads out of its tree/,
  ],
  ["a link to nothing", async (at) => symlink("gone", join(at, "zz")), /does not exist/],
  ["a link to itself", async (at) => symlink("zz", join(at, "zz")), /more than 16 links/],
  ["a link to its own directory", async (at) => symlink(".", join(at, "zz")), /directory that it lies in/],
  [
    "two directories with links to each other",
    async (at) => {
      for (const [here, there] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        await mkdir(join(at, here));
        await symlink(`../${there}`, join(at, here, "zz"));
      }
    },
    /directory that it lies in/,
  ],
  [
    "directories that double with each link",
    async (at) => {
      for (let i = 0; i < 20; i++) {
        await mkdir(join(at, `d${String(i)}`));
        await symlink(`../d${String(i + 1)}`, join(at, `d${String(i)}`, "a"));
        await symlink(`../d${String(i + 1)}`, join(at, `d${String(i)}`, "b"));
      }
      await mkdir(join(at, "d20"));
    },
    /one entry too many/,
  ],
  ["a pipe", async (at) => Promise.resolve(execFileSync("mkfifo", [join(at, "zz")])), /neither a file nor a directory/],
  [
    "a link to a pipe",
    async (at) => {
      execFileSync("mkfifo", [join(at, "p")]);
      await symlink("p", join(at, "zz"));
    },
    /neither a file nor a directory/,
  ],
  [
    "65 directories below one another",
    async (at) => mkdir(join(at, deep(65)), { recursive: true }),
    /64 directories deep/,
  ],
  [
    "a path too long to be restored",
    async (at) => {
      let path = at;
      for (let i = 0; i < 9; i++) await mkdir((path = join(path, "n".repeat(240))));
    },
    /more than 2048 bytes/,
  ],
  ["a name with a backslash", file("a\\b"), /backslash/],
  [
    "a name that is not UTF-8",
    async (at) => writeFile(Buffer.concat([Buffer.from(`${at}/a`), Buffer.from([0xff])]), "x"),
    /not UTF-8/,
  ],
  [
    "a sparse file of a tebibyte",
    async (at) => {
      await writeFile(join(at, "zz"), "");
      await truncate(join(at, "zz"), 2 ** 40);
    },
    /larger than this node stores/,
  ],
];

const refused: FaultCase[] = [
  ...REFUSED.map(([name, make, says]): FaultCase => ({
    name: `a checkpoint with ${name}`,
    run: async ({ directory }) => {
      const from = join(directory, "c", "checkpoint");
      await mkdir(from, { recursive: true });
      await make(from);
      const budget = { ...treeBudget(2 ** 30), ...(name.includes("double") ? { entries: 5000 } : {}) };
      await assert.rejects(linkTree(from, join(directory, "to"), budget), { code: "OUTPUT_INVALID", message: says });
    },
  })),
  {
    name: "a checkpoint with a socket",
    run: async ({ directory }) => {
      await mkdir(join(directory, "c"));
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(directory, "c", "s"), resolve));
      try {
        await assert.rejects(linkTree(join(directory, "c"), join(directory, "to")), /neither a file nor a directory/);
      } finally {
        server.close();
      }
    },
  },
];

const EXITS: readonly [name: string, raw: Partial<RawExit>, outputs: Make, reason: string, says: RegExp][] = [
  [
    "exit code 0 without its output",
    { code: 0 },
    async () => Promise.resolve(),
    "failed",
    /there is no "result\.json"/,
  ],
  [
    "exit code 0 with it, though it was being killed",
    { code: 0, cause: "kill" },
    file("result.json"),
    "done",
    /exit code 0/,
  ],
  [
    "exit code 0 with it, though its machine was evicting it",
    { code: 0, cause: "evicted" },
    file("result.json"),
    "done",
    /exit code 0/,
  ],
  [
    "exit code 0 with a link out of its outputs",
    { code: 0 },
    async (at) => symlink("/etc/passwd", join(at, "result.json")),
    "failed",
    /absolute link/,
  ],
  [
    "exit code 0 with a link among its outputs",
    { code: 0 },
    async (at) => {
      await writeFile(join(at, "model-3"), "x");
      await symlink("model-3", join(at, "result.json"));
    },
    "done",
    /exit code 0/,
  ],
  ["a segmentation fault", { code: 139 }, file("x"), "failed", /139 \(SIGSEGV\)/],
  ["SIGKILL by somebody else", { code: 137 }, file("x"), "failed", /137 \(SIGKILL\)/],
  ["too much memory", { code: 137, cause: "memory" }, file("x"), "failed", /raise resources\.memoryMiB/],
  ["a command that does not exist", { code: 127 }, file("x"), "failed", /command was not found/],
  ["a command that may not be executed", { code: 126 }, file("x"), "failed", /could not be executed/],
  ["too long a time", { code: 143, cause: "timeout" }, file("x"), "timeout", /raise timeouts\.unitSeconds/],
  [
    "too many files",
    { code: 137, cause: "disk", why: "more than 100000 files" },
    file("x"),
    "failed",
    /more than 100000 files/,
  ],
  ["SIGTERM that it did not heed", { code: 137, graceOver: true }, file("x"), "killed", /within the grace/],
];

const exits: FaultCase[] = [
  ...EXITS.map(([name, raw, outputs, reason, says]): FaultCase => ({
    name: `a unit that ends with ${name}`,
    run: async ({ directory }) => {
      await mkdir(join(directory, "output"));
      await outputs(join(directory, "output"));
      const folder = { output: join(directory, "output") } as Parameters<typeof judgeExit>[0]["folder"];
      const exit = await judgeExit(
        { spec: testSpec({}), folder },
        { code: 1, graceOver: false, cpuSeconds: 0, ...raw },
      );
      assert.equal(exit.reason, reason, exit.detail);
      assert.match(exit.detail, says);
    },
  })),
  {
    name: "ends that are nobody's fault, however few restarts the spec allows",
    run: async () => {
      const spec = { maxRestarts: 0, retryableExitCodes: [] };
      for (const reason of ["evicted", "unstarted", "drained"] as const) {
        assert.equal(shouldRestart(spec, { reason, code: 137 }, 0), false);
        assert.ok(pauseBeforeAnother({ reason }, 0) !== undefined, `${reason} ends the lease`);
      }
      for (const reason of ["failed", "timeout", "killed", "lost", "done"] as const) {
        assert.equal(pauseBeforeAnother({ reason }, 0), undefined, reason);
      }
      assert.equal(pauseBeforeAnother({ reason: "unstarted" }, 10), undefined, "it is tried for ever");
      return Promise.resolve();
    },
  },
];

/** What strangers' programs leave behind, and how they end. */
export const programs: FaultKind = {
  name: "programs",
  guarantee:
    "every newer checkpoint counts, what is stored can be restored, and what cannot be is refused at once, by name",
  cases: [...numbering, ...counting, ...misnamed, ...kept, ...refused, ...exits],
  close: async () => {
    const opened = await store;
    store = undefined;
    await opened?.stop();
  },
};
