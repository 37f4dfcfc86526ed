import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { EXCHANGE_READY, heldName, parseExchangeName, parseWantName } from "../../exchange.ts";
import type { RunningUnit, UnitRun } from "../../executor.ts";
import { ProcessExecutor } from "../../process.ts";
import type { RoundRecord } from "../../rounds.ts";
import { testSpec, testUnit, until } from "../../testing.ts";
import { builtInTrainers } from "../registry.ts";
import { readConfig } from "./config.ts";
import { loadDigits } from "./data.ts";
import { encodeModel, sha256 } from "./model-file.ts";
import { applyRound, firstState, roundCount, trainRound } from "./outer.ts";
import { OUTPUTS } from "./result.ts";

const UNITS = 3;
const ARGS = ["--epochs", "6", "--train", "1000", "--test", "100", "--exchange-every", "8", "--pace", "1"];
const executor = new ProcessExecutor({ trainers: builtInTrainers });

/** Units whose contributions to a round reach unit 0, unit 0 among them. */
type Members = (round: number) => readonly number[];

/**
 * Does between directories what agents do between machines. Where a test says who takes part in a round, unit 0 gets the contributions of
 * exactly these units, all at once: how fast which process runs decides nothing then.
 */
class Carrier {
  readonly #units: readonly UnitRun[];
  readonly #members: Members | undefined;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** Units that nothing of a later round than this one reaches, and of which nothing of it goes out. */
  readonly cutAfter = new Map<number, number>();
  #carried = 0;

  constructor(units: readonly UnitRun[], members?: Members) {
    this.#units = units;
    this.#members = members;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    for (; !this.#stop.signal.aborted; await sleep(20)) {
      for (const from of this.#units) for (const to of this.#units) if (from !== to) await this.#carry(from, to);
      if (this.#members) await this.#contribute(this.#members);
    }
  }

  /** Lays a round's contributions before unit 0 by one rename, once each of its members has made its own. */
  async #contribute(members: Members): Promise<void> {
    const [first] = this.#units;
    if (first === undefined) return;
    for (const name of await namesIn(join(first.folder.exchange, "out"))) {
      const parsed = parseExchangeName(name);
      const directory = join(first.folder.exchange, "in", name);
      if (parsed?.kind !== "delta" || (await namesIn(directory)).length > 0) continue;
      const others = this.#units.filter((unit) => unit !== first && members(parsed.round).includes(unit.unitIndex));
      const made = await Promise.all(
        others.map(async ({ unitIndex: unit, folder }) => {
          const bytes = await readFile(join(folder.exchange, "out", name)).catch(() => undefined);
          return bytes && { name: heldName({ unit, fence: 1, cid: sha256(bytes) }), bytes };
        }),
      );
      const whole = made.filter((each) => each !== undefined);
      if (whole.length < others.length) continue;
      const incoming = join(first.folder.exchange, "in", `incoming-${String(this.#carried++)}`);
      await mkdir(incoming, { recursive: true });
      for (const each of whole) await writeFile(join(incoming, each.name), each.bytes);
      await rename(incoming, directory);
    }
  }

  async #carry(from: UnitRun, to: UnitRun): Promise<void> {
    const newest = Math.min(...[from, to].map(({ unitIndex }) => this.cutAfter.get(unitIndex) ?? Infinity));
    const out = join(from.folder.exchange, "out");
    const wants = (await namesIn(join(to.folder.exchange, "out"))).map(parseWantName);
    for (const name of await namesIn(out)) {
      const parsed = parseExchangeName(name);
      if (!parsed || parsed.round > newest) continue;
      if (parsed.kind === "delta" && to.unitIndex === 0 && this.#members) continue;
      if (parsed.kind === "state" && !wants.some((want) => want?.round === parsed.round)) continue;
      const bytes = await readFile(join(out, name)).catch(() => undefined);
      if (bytes === undefined) continue;
      const directory = join(to.folder.exchange, "in", name);
      const held = heldName({ unit: from.unitIndex, fence: 1, cid: sha256(bytes) });
      if ((await namesIn(directory)).includes(held)) continue;
      const incoming = join(to.folder.exchange, "in", `incoming-${String(this.#carried++)}`);
      await writeFile(incoming, bytes);
      await mkdir(directory, { recursive: true });
      await rename(incoming, join(directory, held));
    }
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function together(context: TestContext, members?: Members) {
  const root = await mkdtemp(join(tmpdir(), "unit-"));
  const spec = testSpec({
    trainer: "digits",
    args: ARGS,
    exchange: { fileMiB: 4, quorum: 2, graceSeconds: 1 },
    outputs: [...OUTPUTS],
    // A machine may be as slow as it likes.
    timeouts: { unitSeconds: 3600, graceSeconds: 1 },
  });
  const units = Array.from({ length: UNITS }, (_, unitIndex) =>
    testUnit(join(root, String(unitIndex)), spec, { unitIndex, unitCount: UNITS }),
  );
  for (const { folder } of units) {
    await mkdir(join(folder.exchange, "in"), { recursive: true });
    await writeFile(join(folder.exchange, "in", EXCHANGE_READY), "");
  }
  const carrier = new Carrier(units, members);
  const started: RunningUnit[] = [];
  // In this order: who carries files would put back what is removed.
  context.after(async () => {
    await carrier.stop();
    await Promise.all(started.map((running) => running.kill()));
    await rm(root, { recursive: true, force: true });
  });
  const start = async (unit: UnitRun, attempt = 1): Promise<RunningUnit> => {
    const running = await executor.start({ ...unit, attempt });
    started.push(running);
    return running;
  };
  return { units, carrier, start };
}

/** Records that units have told of, by round. */
async function recordsOf(units: readonly UnitRun[]): Promise<RoundRecord[]> {
  const found = new Map<number, string>();
  for (const { folder } of units) {
    for (const [, json] of (await readFile(folder.log, "utf8")).matchAll(/^round (\{.*\})$/gm)) {
      const record = JSON.parse(json ?? "") as RoundRecord;
      assert.equal(found.get(record.round) ?? json, json, "units tell of different records of one round");
      found.set(record.round, json ?? "");
    }
  }
  return [...found.values()].map((json) => JSON.parse(json) as RoundRecord).sort((a, b) => a.round - b.round);
}

/** The weights of a training that nobody disturbs, with these members in its rounds. */
async function replay(records: readonly RoundRecord[]): Promise<string> {
  const { training, exchange } = readConfig(ARGS, undefined, { unitIndex: 0, unitCount: UNITS });
  assert.ok(exchange);
  const { train } = await loadDigits(training.train, training.test);
  let state = firstState(training);
  assert.equal(records.length, roundCount(training, exchange, UNITS));
  for (const { round, members } of records) {
    const contributions: Float32Array[] = [];
    for (const { unit } of members) {
      const share = { unitIndex: unit, unitCount: UNITS };
      const changed = await trainRound(training, exchange, train, state, round, share, () => Promise.resolve(true));
      assert.ok(changed);
      contributions.push(changed);
    }
    state = applyRound(exchange, state, contributions);
  }
  return sha256(encodeModel(state.network));
}

async function weightsOf(unit: UnitRun): Promise<string> {
  return sha256(await readFile(join(unit.folder.output, "model.bin")));
}

test("units train one model; a unit that was killed and one that nothing reached end with the same bits", async (context) => {
  // Unit 1 is killed when it has seen round 2, and nothing after round 4 reaches unit 2 until round 6 is over.
  const members = (round: number) => (round <= 2 || round >= 7 ? [0, 1, 2] : round <= 4 ? [0, 2] : [0, 1]);
  const { units, carrier, start } = await together(context, members);
  const [first, second, third] = units as [UnitRun, UnitRun, UnitRun];
  carrier.cutAfter.set(2, 4);
  const running = await Promise.all(units.map((unit) => start(unit)));
  const ends: Promise<unknown>[] = [running[0]!.exited, running[2]!.exited];
  const rounds = async (unit: UnitRun) =>
    (await readFile(unit.folder.log, "utf8").catch(() => "")).split("\nround ").length - 1;

  await until("unit 1 has seen round 2", async () => (await rounds(second)) >= 2);
  await running[1]!.kill();
  await until("the others have gone on without it", async () => (await rounds(first)) >= 4);
  ends.push((await start(second, 2)).exited);

  await until("the others have gone on without the one cut off", async () => (await rounds(first)) >= 6);
  assert.ok((await rounds(third)) <= 4);
  carrier.cutAfter.delete(2);
  for (const exit of await Promise.all(ends)) assert.equal((exit as { reason: string }).reason, "done");

  const records = await recordsOf(units);
  assert.deepEqual(
    records.map((record) => record.members.map(({ unit }) => unit)),
    records.map(({ round }) => members(round)),
  );
  const weights = await Promise.all(units.map(weightsOf));
  assert.deepEqual(new Set(weights), new Set([await replay(records)]));
  // All that they leave is the same: one content in the store.
  const metrics = await Promise.all(units.map(({ folder }) => readFile(join(folder.output, "metrics.json"), "utf8")));
  assert.equal(new Set(metrics).size, 1);
});

test("unit 0 goes on from its records after it was killed, also where it has nothing but what others pass on", async (context) => {
  const { units, start } = await together(context);
  const [first] = units as [UnitRun, UnitRun, UnitRun];
  const running = await Promise.all(units.map((unit) => start(unit)));
  const ends: Promise<unknown>[] = running.slice(1).map(({ exited }) => exited);
  const log = () => readFile(first.folder.log, "utf8");
  await until("it has seen round 3", async () => (await log()).includes('round {"round":3'));
  await running[0]!.kill();
  // As on another machine, with no checkpoint: what it published comes back from those who have it.
  const { exchange, checkpoint } = first.folder;
  for (const name of await namesIn(join(exchange, "out"))) {
    const parsed = parseExchangeName(name);
    if (parsed === undefined) continue;
    const held = join(exchange, "in", name);
    await mkdir(held, { recursive: true });
    await copyFile(join(exchange, "out", name), join(held, heldName({ unit: 0, fence: 1, cid: "before" })));
    await rm(join(exchange, "out", name));
  }
  await rm(checkpoint, { recursive: true });
  ends.push((await start(first, 2)).exited);
  for (const exit of await Promise.all(ends)) assert.equal((exit as { reason: string }).reason, "done");
  const weights = await Promise.all(units.map(weightsOf));
  assert.deepEqual(new Set(weights), new Set([await replay(await recordsOf(units))]));
});
