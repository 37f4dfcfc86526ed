import { setTimeout as delay } from "node:timers/promises";

import { orAborted } from "@verai/checkpoint-store/signals";
import type { ParticipantNode, ParticipantTask } from "@verai/devnet/participants";
import { specOf } from "@verai/devnet/configs";
import { inTraining, killInTraining, nodeIdOf, seen } from "@verai/devnet/faults";
import { BlockClock, readHappenings, recoveries, type Fault, type Recovery } from "@verai/devnet/timeline";
import { TestNetwork } from "@verai/devnet/network";

/** Seconds of the network that is measured. */
export const NETWORK = { checkpointInterval: 3, grace: 10, block: 1 } as const;

/** Longest wait for one recovery, milliseconds. */
const TIMEOUT_MS = 180_000;

/** Parts of a recovery, in their order; each is the time since the one before, seconds. */
export const PARTS = ["expired", "seed", "drawn", "restored", "checkpoint"] as const;
export type Part = (typeof PARTS)[number];

/** A recovery in parts, seconds. */
export type Split = Readonly<Record<Part, number>> & { readonly total: number };

const node = (name: string, ownerAccount: number, operatorAccount: number): ParticipantNode => ({
  name,
  class: "cpu/eu",
  capacity: 2,
  ask: "0.010",
  energySource: "wind",
  ownerAccount,
  operatorAccount,
});
const NODES: readonly ParticipantNode[] = [
  node("ann", 10, 6),
  node("ben", 11, 7),
  node("cid", 12, 8),
  node("dot", 13, 9),
];
const TASK: ParticipantTask = {
  name: "bench",
  account: 16,
  units: 1,
  maxPrice: "0.020",
  classes: { "cpu/eu": "0" },
  hidden: [24],
  learningRates: [0.05],
};
/** Lasts longer than any run of the benchmark. */
const SPEC = {
  ...specOf(TASK),
  args: ["--epochs", "1000", "--train", "1000", "--test", "100", "--checkpoint-steps", "25", "--pace", "40"],
  timeouts: { unitSeconds: 3600, graceSeconds: 10 },
};

/**
 * Kills the agent that holds a lease (SIGKILL), waits until another one's first checkpoint is on chain, starts the killed
 * one again, and so on.
 *
 * @param times How often.
 * @param say Told what happens.
 * @param signal Ends it; all processes are stopped before it throws.
 * @throws Error with the ends of all logs.
 */
export async function measureRecoveries(
  times: number,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<Recovery[]> {
  signal.throwIfAborted();
  say(`starting a network of ${String(NODES.length)} agents`);
  const network = await TestNetwork.start("test-bench-failover", {
    LeaseGrace: { value: NETWORK.grace },
    MinCheckpointInterval: { value: 1 },
    Cooldown: { value: 10 },
    ReportTimeout: { value: 65_535, max: 65_535 },
  });
  const clock = new BlockClock();
  try {
    return await orAborted(measure(network, clock, times, say), signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${await network.tails()}`, {
      cause: error,
    });
  } finally {
    clock.stop();
    await network.stop();
  }
}

async function measure(
  network: TestNetwork,
  clock: BlockClock,
  times: number,
  say: (text: string) => void,
): Promise<Recovery[]> {
  const { session, processes, configs } = network;
  const { reader, provider } = session;
  const firstBlock = await provider.getBlockNumber();
  clock.start(session);
  for (const each of NODES) await network.agent(each);
  await network.until("all nodes are listed", async () => {
    const nodes = await reader.nodes(await reader.block());
    return nodes.filter(({ listing, endpoint }) => listing && endpoint !== "").length === NODES.length;
  });
  await network.keeper();
  const { config, spec, terms } = await configs.developer(TASK, SPEC);
  processes.start("developer", [
    ...["developer/main.ts", "train", "--config", config, "--spec", spec, "--terms", terms],
  ]);
  const parts = {
    session,
    processes,
    say,
    agents: NODES.map((each) => ({ node: each, process: each.name, data: configs.agentData(each) })),
  };
  const faults: Fault[] = [];
  const bound = async <T>(what: string, look: Promise<T>): Promise<T> =>
    Promise.race([
      look,
      delay(TIMEOUT_MS).then(() => {
        throw new Error(`not within ${String(TIMEOUT_MS / 1000)} s: ${what}`);
      }),
    ]);
  for (let i = 0; i < times; i++) {
    const holder = await bound(
      "some node trains",
      seen(async () => {
        for (const each of NODES) if (await inTraining(session, await nodeIdOf(session, each), 2)) return each;
        return undefined;
      }),
    );
    const fault = await killInTraining(parts, holder);
    faults.push(fault);
    const [leaseId] = fault.leaseIds;
    await bound(
      `the successor of lease ${String(leaseId)} has a checkpoint`,
      seen(async () => {
        const block = await reader.block();
        const successor = (await reader.leases(block)).find(({ parent }) => parent === leaseId);
        return successor && (await reader.checkpoints(block, [successor.id])).has(successor.id);
      }),
    );
    say(`recovery ${String(i + 1)} of ${String(times)} is done`);
    await network.agent(holder);
  }
  const agents = await Promise.all(NODES.map(({ name }) => network.log(name)));
  const logs = { keeper: await network.log("keeper"), agents: agents.flat() };
  return recoveries(faults, await readHappenings(session, clock, firstBlock, logs));
}

/**
 * A recovery in parts.
 *
 * @returns undefined if a part of it was not seen.
 */
export function split(recovery: Recovery): Split | undefined {
  const at = PARTS.map((part) => recovery[part]);
  if (at.some((each) => each === undefined)) return undefined;
  const times = at as number[];
  const parts = Object.fromEntries(PARTS.map((part, i) => [part, (times[i] ?? 0) - (i > 0 ? (times[i - 1] ?? 0) : 0)]));
  return { ...(parts as Record<Part, number>), total: times.at(-1) ?? 0 };
}

/** The middle one; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}
