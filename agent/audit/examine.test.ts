import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

import { treeCid } from "@verai/checkpoint-store/tree-cid";
import { ProcessExecutor } from "@verai/executor/process";
import { tracedRun } from "@verai/executor/rerun/traced-run";
import { Seal } from "@verai/executor/sealed/seal";
import { sealTree } from "@verai/executor/sealed/tree";
import { testSpec } from "@verai/executor/testing";
import { unitAt } from "@verai/protocol/audits/draws";
import { ANSWER_UNAVAILABLE, ANSWER_UNUSABLE } from "@verai/protocol/audits/segments";
import { traceAnswer, traceLeaf } from "@verai/protocol/audits/trace";
import { bundleCheckpoint } from "../lease/bundle.ts";
import { traceUnit } from "../lease/tracing.ts";
import { type LeaseFolder, Workspace } from "../lease/workspace.ts";
import { answerTo, freshLeaf, openingTo } from "./answer.ts";
import { type PostedSegment, ProducerTraces, segmentTrace } from "./producer-traces.ts";
import { readTraceHashes, writeTraceHashes } from "./trace-hashes.ts";
import { type AuditedSegment, examineSegment, type ExamineParts } from "./examine.ts";

const counts = { entry: fileURLToPath(import.meta.resolve("@verai/executor/testdata/counts")), readable: [] };
const executor = new ProcessExecutor({ trainers: new Map([["counts", counts]]) });
const spec = testSpec({ trainer: "counts", args: ["honest"], checkpoint: { intervalSeconds: 60, everySteps: 4 } });
const log = { warn: () => undefined };
const salt = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;

/** A lease of units 3 and 4, worked on with a checkpoint posted after step 8, one after 16, and one when both are done. */
class Producer {
  readonly root: string;
  readonly folder: LeaseFolder;
  readonly posted = new Map<string, string>();
  readonly #seal: Seal | undefined;
  readonly #traces: ProducerTraces;
  #before: PostedSegment | undefined;
  #root = "";
  #posts = 0;

  constructor(root: string, seal?: Seal) {
    this.root = root;
    this.folder = new Workspace(join(root, "leases")).folder(5, 1);
    this.#seal = seal;
    this.#traces = new ProducerTraces(join(root, "traces"));
  }

  async work(stopAt?: number): Promise<void> {
    for (const unitIndex of [3, 4]) {
      const run = { leaseId: 5, leaseStart: 3, leaseUnits: 2, taskId: 1, unitIndex, unitCount: 6, attempt: 1, spec };
      const folder = await this.folder.unit(unitIndex);
      const at = stopAt === undefined ? {} : { stopAt };
      const signal = AbortSignal.any([]);
      await (await traceUnit(folder, { seal: this.#seal, maxBytes: 1e9, log })).stop();
      const { exit } = await tracedRun({ executor, run: { ...run, ...at, folder }, log, signal, seal: this.#seal });
      if (exit.reason === "done") await this.folder.markDone(unitIndex);
    }
  }

  async post(alter?: (path: string) => Promise<unknown>) {
    const { path, units } = await bundleCheckpoint(this.folder, 3, 2);
    const trace = await segmentTrace(this.folder, units, this.#before, 4, this.#seal);
    if ("root" in trace) {
      this.#before = { ...trace.segment, digest: "" };
      this.#root = trace.root;
      await this.#traces.save(trace.root, this.#before);
      await writeTraceHashes(path, trace.segment.units);
    }
    await alter?.(path);
    let kept = join(this.root, `posted-${String((this.#posts += 1))}`);
    await cp(path, kept, { recursive: true });
    if (this.#seal) await sealTree(kept, (kept = `${kept}-sealed`), this.#seal);
    const cid = (await treeCid(kept)).toString();
    this.posted.set(cid, kept);
    return { cid, size: 1_000_000 };
  }

  /** Trace root of its newest segment. */
  get traceRoot(): string {
    return this.#root;
  }

  /** The node's own opening of its newest segment at the leaf that a question draws. */
  async opening(of: string, question: number) {
    const opened = await this.#traces.open(this.#root, of, question);
    assert.ok(opened);
    return opened;
  }

  async examine(
    context: TestContext,
    segment: Partial<AuditedSegment> & Pick<AuditedSegment, "end">,
    changes: Partial<ExamineParts> = {},
  ) {
    const directory = await temporary(context);
    return examineSegment(
      {
        ...{ taskId: 1, unitCount: 6, leaseId: 5, start: 3, count: 2, origins: [], before: undefined, salt: salt(1) },
        ...segment,
      },
      {
        fetch: async ({ cid }, target) => {
          const path = this.posted.get(cid);
          if (path !== undefined) await cp(path, target, { recursive: true });
          return path !== undefined;
        },
        placeInputs: async (input) => {
          await mkdir(input, { recursive: true });
          return true;
        },
        ...{ executor, spec, seal: this.#seal, directory, log, maxBytes: 1e9, timeoutMs: 60_000 },
        signal: AbortSignal.any([]),
        ...changes,
      },
    );
  }
}

async function temporary(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "drmp-audit-"));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test("an honest node's opening is what a verifier answers: from the spec, in between, and to the end; also sealed", async (context) => {
  for (const seal of [undefined, new Seal(Buffer.alloc(32, 7))]) {
    const node = new Producer(await temporary(context), seal);
    let before: Awaited<ReturnType<typeof node.post>> | undefined;
    for (const [i, stopAt] of [8, 16, undefined].entries()) {
      await node.work(stopAt);
      const end = await node.post();
      const of = salt(40 + i);
      const examined = await node.examine(context, { before, end, salt: of });
      assert.equal(examined.kind, "verified", JSON.stringify(examined));
      for (const question of [0, 1, 256]) {
        const opened = await node.opening(of, question);
        assert.equal(answerTo(examined, of, question), traceAnswer(opened));
        assert.equal(freshLeaf(examined, of, question), traceLeaf(opened.unit, opened.probe));
        // The verifier can open it as well, by what the checkpoint says of the other unit.
        assert.deepEqual(openingTo(examined, of, question, node.traceRoot), opened);
        assert.equal(openingTo(examined, of, question, salt(7)), undefined);
        assert.equal(openingTo({ ...examined, hashes: undefined }, of, question, node.traceRoot), undefined);
      }
      before = end;
    }
  }
});

test("what a checkpoint says of its trace is read only as hashes, no more of them than it has units", async (context) => {
  const path = await temporary(context);
  assert.deepEqual(await readTraceHashes(path, 2), []);
  const leaves = [{ step: 4, digest: salt(9) }];
  await writeTraceHashes(path, [
    { unit: 3, leaves },
    { unit: 4, leaves },
  ]);
  const found = await readTraceHashes(path, 2);
  assert.equal(found.length, 2);
  assert.notEqual(found[0], found[1]);
  assert.deepEqual(await readTraceHashes(path, 1), []);
  await writeFile(join(path, "trace"), `${salt(9)}\nno hash\n`);
  assert.deepEqual(await readTraceHashes(path, 2), []);
  await rm(join(path, "trace"));
  await symlink("/etc/hostname", join(path, "trace"));
  assert.deepEqual(await readTraceHashes(path, 2), []);
});

test("what a cheat posts is unusable, whichever unit is drawn", async (context) => {
  const node = new Producer(await temporary(context));
  await node.work(8);
  const before = await node.post();
  const again = await node.post();
  await node.work(16);
  const state = (path: string, unit: number) =>
    join(path, `unit-${String(unit)}/checkpoint/checkpoint-000000016/state.json`);
  const altered = await node.post(async (path) => {
    for (const unit of [3, 4]) {
      const file = state(path, unit);
      await rm(`${file}.new`, { force: true });
      // Not through the link: the node's own checkpoint stays right.
      const content = (await readFile(file, "utf8")).replace('"sum":1', '"sum":2');
      await rm(file);
      await writeFile(file, content);
    }
  });
  const skipped = await node.post(async (path) => {
    await rm(join(path, "unit-3"), { recursive: true });
    await cp(join(path, "unit-4"), join(path, "unit-3"), { recursive: true });
  });
  const lost = await node.post((path) => rm(join(path, "unit-4"), { recursive: true }));
  const garbage = await node.post((path) => writeFile(join(path, "unit-3", "note"), "x"));
  const unit3 = [1, 2, 3, 4, 5].map(salt).find((each) => unitAt(each, 2) === 0) ?? "";
  const unit4 = [1, 2, 3, 4, 5].map(salt).find((each) => unitAt(each, 2) === 1) ?? "";
  const why = async (end: typeof before, of: string) => {
    const examined = await node.examine(context, { before, end, salt: of });
    assert.equal(examined.kind, "unusable", JSON.stringify(examined));
    assert.equal(answerTo(examined, of, 0), ANSWER_UNUSABLE);
    return "why" in examined ? examined.why : "";
  };
  assert.match(await why(altered, unit3), /state of unit 3 is another one/);
  assert.match(await why(altered, unit4), /state of unit 4 is another one/);
  assert.match(await why(skipped, unit3), /state of unit 3 is another one/);
  assert.match(await why(again, unit3), /no unit's state changed/);
  assert.match(await why(lost, unit3), /it has lost unit 4/);
  assert.match(await why(garbage, unit3), /unit 3 is no state/);
});

test("the first segment of a lease goes on from a checkpoint of the leases before, or from the spec", async (context) => {
  const node = new Producer(await temporary(context));
  await node.work(8);
  const origin = await node.post();
  await node.work(16);
  const end = await node.post((path) => writeFile(join(path, "origin"), `${origin.cid}\n`));
  const good = await node.examine(context, { end, origins: [origin] });
  assert.deepEqual(good.kind === "verified" && good.leaves.map(({ step }) => step), [12, 16]);
  const other = await node.examine(context, { end, origins: [] });
  assert.match("why" in other ? other.why : "", /as its origin, which no lease before it posted/);
});

test("what nobody has is unavailable, and what this machine cannot run is not answered", async (context) => {
  const node = new Producer(await temporary(context));
  await node.work(8);
  const end = await node.post();
  const none = { cid: "bafyabsent", size: 1 };
  for (const segment of [{ end: none }, { before: none, end }]) {
    assert.equal(answerTo(await node.examine(context, segment), salt(1), 0), ANSWER_UNAVAILABLE);
  }
  const inputs = await node.examine(context, { end }, { placeInputs: async () => false });
  assert.deepEqual(inputs, { kind: "unavailable", why: "an input is not to be had from anybody" });
  const late = await node.examine(context, { end }, { timeoutMs: 1 });
  assert.deepEqual(
    [late.kind, answerTo(late, salt(1), 0), freshLeaf(late, salt(1), 0)],
    ["failed", undefined, undefined],
  );
});
