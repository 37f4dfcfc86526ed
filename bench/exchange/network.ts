import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { orAborted } from "@verai/checkpoint-store/signals";
import type { ParticipantNode, ParticipantTask } from "@verai/devnet/participants";
import { specOf } from "@verai/devnet/configs";
import { PATIENT, TestNetwork } from "@verai/devnet/network";
import type { RoundRecord } from "@verai/executor/rounds";
import type { Run, SeenRecord } from "./judge.ts";

/** Nodes, and units of the task: one each. */
export const UNITS = 4;
/** Between two kills, and from a kill to the node's next start, milliseconds. */
const [KILL_MS, DOWN_MS] = [60_000, 3_000];
/** From the first round to the first kill, milliseconds: in the middle of each minute. */
const FIRST_KILL_MS = 30_000;
/** Pause between two looks at what units have logged, milliseconds. */
const LOOK_MS = 250;
/** Longest run, milliseconds. */
const RUN_MS = 1_800_000;

const node = (name: string, ownerAccount: number, operatorAccount: number): ParticipantNode => ({
  ...{ name, class: "cpu/eu", capacity: 1, ask: "0.010", energySource: "wind" },
  ...{ ownerAccount, operatorAccount },
});
const NODES = [node("ann", 10, 6), node("ben", 11, 7), node("cid", 12, 8), node("dot", 13, 9)];
const TASK: ParticipantTask = {
  ...{ name: "bench", account: 16, units: UNITS, maxPrice: "0.020", classes: { "cpu/eu": "0" } },
  ...{ hidden: [], learningRates: [] },
};

/**
 * Has four nodes train one model, and meanwhile kills one of them a minute (SIGKILL), which is started again.
 *
 * @param args Of the trainer.
 * @param grid The trainer's grid, of one point.
 * @param kills Whether nodes are killed.
 */
export async function trainOnNetwork(
  args: readonly string[],
  grid: string,
  kills: boolean,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<Run> {
  signal.throwIfAborted();
  say(`starting a network of ${String(UNITS)} agents`);
  const network = await TestNetwork.start("test-bench-exchange", { ...PATIENT, MinCheckpointInterval: { value: 1 } });
  try {
    return await orAborted(train(network, args, grid, kills, say), signal);
  } catch (error) {
    signal.throwIfAborted();
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`${what}\n${await network.tails()}`, { cause: error });
  } finally {
    await network.stop();
  }
}

async function train(
  network: TestNetwork,
  args: readonly string[],
  grid: string,
  kills: boolean,
  say: (text: string) => void,
): Promise<Run> {
  const { session, processes, configs } = network;
  for (const each of NODES) await network.agent(each);
  await network.until("all nodes are listed", async () => {
    const nodes = await session.reader.nodes(await session.reader.block());
    return nodes.filter(({ listing, endpoint }) => listing && endpoint !== "").length === NODES.length;
  });
  await network.keeper();
  const spec = {
    ...specOf(TASK),
    args: [...args],
    env: { DIGITS_GRID: grid },
    exchange: { fileMiB: 4, quorum: 2, graceSeconds: 2 },
    timeouts: { unitSeconds: RUN_MS / 1000, graceSeconds: 10 },
  };
  const files = await configs.developer(TASK, spec);
  const { config, terms, data } = files;
  processes.start("developer", [
    ...["developer/main.ts", "train", "--config", config, "--spec", files.spec, "--terms", terms],
  ]);
  const seen = new Map<number, SeenRecord>();
  const end = performance.now() + RUN_MS;
  let killed = 0;
  let due = Infinity;
  let down: { readonly node: ParticipantNode; readonly until: number } | undefined;
  for (;;) {
    for (const each of NODES) await note(seen, join(configs.agentData(each), "leases"), say);
    const now = performance.now();
    if (now > end) throw new Error(`not trained within ${String(RUN_MS / 1000)} s`);
    if (due === Infinity && seen.size > 0 && kills) due = now + FIRST_KILL_MS;
    const results = await resultsIn(join(data, "results"));
    if (results.size === UNITS && !down) {
      const all = [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
      const logs = await Promise.all(NODES.map(({ name }) => network.log(name)));
      const fetched = logs.flat().filter(({ msg }) => msg === "exchanged file fetched");
      const bytes = fetched.reduce((sum, line) => sum + Number(line["bytes"]), 0);
      const records = [...seen.values()].sort((a, b) => a.record.round - b.record.round);
      const weights = all.map(({ weightsSha256 }) => weightsSha256);
      return { records, kills: killed, bytes, weights, accuracy: all[0]?.accuracy ?? NaN };
    }
    const victim = NODES[killed % NODES.length];
    if (now >= due && !down && results.size === 0 && victim) {
      await processes.kill(victim.name);
      say(`${victim.name} is killed (SIGKILL)`);
      killed += 1;
      due = now + KILL_MS;
      down = { node: victim, until: now + DOWN_MS };
    }
    if (down && now >= down.until) {
      await network.agent(down.node);
      down = undefined;
    }
    await sleep(LOOK_MS);
  }
}

/** Notes the records that units have told of. */
async function note(seen: Map<number, SeenRecord>, leases: string, say: (text: string) => void): Promise<void> {
  for (const lease of await readdir(leases).catch(() => [])) {
    for (const unit of await readdir(join(leases, lease)).catch(() => [])) {
      const log = await readFile(join(leases, lease, unit, "unit.log"), "utf8").catch(() => "");
      for (const [, json = ""] of log.matchAll(/^round (\{.*\})$/gm)) {
        const record = JSON.parse(json) as RoundRecord;
        const before = seen.get(record.round);
        if (before && JSON.stringify(before.record) !== json) throw new Error(`two records of one round: ${json}`);
        if (before) continue;
        seen.set(record.round, { record, at: performance.now() });
        say(`  round ${String(record.round)}: units ${record.members.map((member) => member.unit).join(", ")}`);
      }
    }
  }
}

interface Result {
  readonly weightsSha256: string;
  readonly accuracy: number;
}

/** What the developer has fetched, by unit. */
async function resultsIn(directory: string): Promise<Map<number, Result>> {
  const found = new Map<number, Result>();
  for (const path of await readdir(directory, { recursive: true }).catch(() => [])) {
    const unit = /unit-(\d+)\/metrics\.json$/.exec(path)?.[1];
    if (unit === undefined) continue;
    const text = await readFile(join(directory, path), "utf8").catch(() => "");
    if (text.endsWith("}\n")) found.set(Number(unit), JSON.parse(text) as Result);
  }
  return found;
}
