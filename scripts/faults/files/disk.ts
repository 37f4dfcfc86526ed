import assert from "node:assert/strict";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { z } from "zod";

import type { AgentContext } from "@verai/agent/context";
import { LeaseSet } from "@verai/agent/lease/lease-set";
import { Workspace } from "@verai/agent/lease/workspace";
import { LocalStore } from "@verai/checkpoint-store/local";
import { createLogger } from "@verai/process/logger";
import { removeDrafts } from "@verai/system/durable";
import { loadState } from "@verai/system/state-file";
import type { FaultCase } from "@verai/devnet/fault-case";
import { moduleUrl, runScript } from "./child.ts";

const quiet = createLogger("faults", "silent");
const imports = (path: string) => JSON.stringify(moduleUrl(path));
const lease = (leaseId: number) => ({ leaseId, fence: 1, taskId: 5, start: 0, count: 1, restored: false });

/** What can be wrong with the folder of one lease, beside its record. */
const folderDamages: readonly [string, (folder: string) => Promise<unknown>][] = [
  ["a file in the place of a unit's folder", (folder) => writeFile(join(folder, "unit-0"), "")],
  [
    "a file in the place of a unit's checkpoints",
    (folder) => mkdir(join(folder, "unit-0")).then(() => writeFile(join(folder, "unit-0", "checkpoint"), "")),
  ],
  [
    "a link to nowhere in the place of a unit's outputs",
    (folder) => mkdir(join(folder, "unit-0")).then(() => symlink("/nowhere", join(folder, "unit-0", "output"))),
  ],
  [
    "a link to itself in the place of a unit's folder",
    (folder) => symlink(join(folder, "unit-0"), join(folder, "unit-0")),
  ],
  ["its record gone", (folder) => rm(join(folder, "lease.json"))],
  [
    "a directory in the place of the mark that a unit is done",
    (folder) => mkdir(join(folder, "unit-0", "done"), { recursive: true }),
  ],
];

/** On a small disk that fills up: `$1` is where it is mounted. */
function onSmallDisk(name: string, script: string): FaultCase {
  return {
    name,
    run: async ({ directory, signal }) => {
      const shell = 'mount -t tmpfs -o size=256k tmpfs "$1"';
      const head = `import assert from "node:assert/strict";
        import { readFile, readdir, rm, writeFile } from "node:fs/promises";
        const at = process.argv[1];
        const fill = async () => {
          for (const size of [65536, 4096, 1]) {
            try { for (;;) await writeFile(at + "/ballast", Buffer.alloc(size), { flag: "a" }); }
            catch (error) { assert.equal(error.code, "ENOSPC"); }
          }
        };
        const free = () => rm(at + "/ballast");\n`;
      const child = runScript(head + script, [directory], { signal, shell });
      assert.equal(await child.ended, 0, child.said);
    },
  };
}

/** Disks that refuse, writes that are cut off, and what a crash leaves. */
export const DISK_CASES: readonly FaultCase[] = [
  ...folderDamages.map(([what, damage]): FaultCase => ({
    name: `the folder of one lease of three with ${what}`,
    run: async ({ directory }) => {
      const workspace = new Workspace(directory, quiet);
      for (const id of [1, 2, 3]) await workspace.folder(id, 1).remember(lease(id));
      for (const id of [1, 3]) {
        await workspace.folder(id, 1).unit(0);
        await workspace.folder(id, 1).markDone(0);
      }
      await damage(join(directory, "2-1"));
      const session = { reader: { provider: {} } };
      const holdings = new LeaseSet({ workspace, logger: quiet, session } as unknown as AgentContext);
      const here = await holdings.here(0);
      for (const id of [1, 3]) assert.equal(here.find((each) => each.id === id)?.unitsDone, 1, "the others go on");
      assert.equal(here.find((each) => each.id === 2)?.unitsDone ?? 0, 0, "nothing is taken for done that is not");
    },
  })),
  onSmallDisk(
    "a disk that fills up before a state is written",
    `import { loadState, saveState } from ${imports("packages/system/state-file.ts")};
     import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
     const kind = { what: "state", version: 1, schema: z.object({ text: z.string() }) };
     await saveState(at + "/state.json", kind, { text: "before" });
     await fill();
     await assert.rejects(saveState(at + "/state.json", kind, { text: "x".repeat(9000) }), { code: "ENOSPC" });
     assert.deepEqual(await loadState(at + "/state.json", kind), { text: "before" });
     assert.deepEqual((await readdir(at)).sort(), ["ballast", "state.json"], "no draft is left");
     await free();
     await saveState(at + "/state.json", kind, { text: "after" });
     assert.deepEqual(await loadState(at + "/state.json", kind), { text: "after" });`,
  ),
  onSmallDisk(
    "a disk that fills up under the report journal",
    `import { ReportBook } from ${imports("agent/telemetry/report-journal.ts")};
     const sample = { seconds: 5, load: 1, joules: 9, renewableJoules: 0, method: "rapl", idleUnitSeconds: 0, leases: [] };
     const book = await ReportBook.open(at + "/reports.json");
     await book.add(sample);
     await fill();
     const leases = Array.from({ length: 100 }, (_, leaseId) => ({ leaseId, units: 1, joules: 1 }));
     await assert.rejects(book.add({ ...sample, leases }), { code: "ENOSPC" });
     assert.equal(book.openSeconds, 10, "what was measured is not lost");
     await free();
     await book.add(sample);
     assert.equal((await ReportBook.open(at + "/reports.json")).openSeconds, 15);`,
  ),
  onSmallDisk(
    "a disk that fills up under a checkpoint",
    `import { LocalStore } from ${imports("packages/checkpoint-store/local.ts")};
     const store = new LocalStore(at + "/store");
     await store.open();
     const { cid } = await store.addFile(Buffer.alloc(10_000, 1), { pin: "a" });
     await assert.rejects(store.addFile(Buffer.alloc(400_000, 2), { pin: "b" }), { code: "DISK_FULL" });
     assert.equal(await store.has(cid), true);
     await fill();
     await assert.rejects(store.pin(cid, "c"), { code: "DISK_FULL" });
     await free();
     await store.pin(cid, "c");
     assert.deepEqual(store.list().map(({ labels }) => labels), [["a", "c"]]);
     await store.close();`,
  ),
  {
    name: "a process that is killed while it writes, thirty times",
    timeoutMs: 60_000,
    slow: true,
    run: async ({ directory, signal }) => {
      const schema = z.object({ n: z.number(), text: z.string() });
      const kind = { what: "state", version: 1, schema };
      const script = `import { saveState } from ${imports("packages/system/state-file.ts")};
        import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
        const kind = { what: "state", version: 1, schema: z.object({ n: z.number(), text: z.string() }) };
        console.log("writing");
        for (let n = 0; ; n++) await saveState(process.argv[1] + "/state.json", kind, { n, text: String(n).repeat(20000) });`;
      let drafts = 0;
      for (let i = 0; i < 30; i++) {
        const child = runScript(script, [directory], { signal });
        await child.says(/writing/);
        await delay(20 + i);
        child.process.kill("SIGKILL");
        await child.ended;
        drafts += await removeDrafts(directory);
        const state = await loadState(join(directory, "state.json"), kind, {
          error: (_, message) => assert.fail(message),
        });
        if (state) assert.equal(state.text, String(state.n).repeat(20000));
      }
      assert.ok(drafts > 0, "some were killed in the middle of a write");
      assert.deepEqual(await readdir(directory), ["state.json"]);
    },
  },
  {
    name: "half-written files that a crash left in a store",
    run: async ({ directory }) => {
      const first = new LocalStore(directory);
      await first.open();
      const { cid } = await first.addFile(Buffer.alloc(5000, 1), { pin: "a" });
      await first.close();
      await writeFile(join(directory, "tmp", "block-half"), "half");
      await mkdir(join(directory, "tmp", "export", "deep"), { recursive: true });
      await writeFile(join(directory, "pins", "bafy.json.0f8fad5b-d9cb-469f-a165-70867728950e.tmp"), "half");
      const again = new LocalStore(directory);
      await again.open();
      assert.deepEqual(await readdir(join(directory, "tmp")), []);
      assert.equal(await again.has(cid), true);
      assert.equal(again.list().length, 1);
      await again.close();
    },
  },
];
