import { setTimeout as delay } from "node:timers/promises";

import type { Session } from "@verai/client/session";
import type { LogLine } from "./logs.ts";

/** Pause between two looks at the head of the chain, milliseconds. */
const LOOK_MS = 100;

/** Knows when blocks appeared by this machine's clock: a local chain's timestamps run ahead of it. */
export class BlockClock {
  readonly #seen: { readonly number: number; readonly at: number; readonly lag: number }[] = [];
  readonly #stop = new AbortController();

  /** Begins to watch. */
  start(session: Session): void {
    void this.#watch(session);
  }

  /** When a block was first seen, milliseconds since the epoch; blocks from before count as of the start. */
  at(block: number): number {
    return this.#of(block)?.at ?? Date.now();
  }

  /** How long a block can have been there before it was seen, milliseconds: a busy machine looks less often. */
  lag(block: number): number {
    return this.#of(block)?.lag ?? 0;
  }

  #of(block: number) {
    return this.#seen.find(({ number }) => number >= block) ?? this.#seen.at(-1);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #watch({ provider }: Session): Promise<void> {
    const { signal } = this.#stop;
    // When the last look began that did not show what the next one may.
    let before = Date.now();
    while (!signal.aborted) {
      const began = Date.now();
      const number = await provider.getBlockNumber().catch(() => undefined);
      const at = Date.now();
      if (number !== undefined) {
        if (number > (this.#seen.at(-1)?.number ?? -1)) this.#seen.push({ number, at, lag: at - before });
        before = began;
      }
      await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Something that was done to a node. Times in milliseconds since the epoch. */
export interface Fault {
  readonly what: string;
  readonly at: number;
  /** Leases that its node held then. */
  readonly leaseIds: readonly number[];
}

/** When what happened, from the chain and from the logs; milliseconds since the epoch. */
export interface Happenings {
  readonly granted: readonly {
    leaseId: number;
    parent: number;
    nodeId: number;
    count: number;
    at: number;
    /** How long before `at` it can have been. */
    lag: number;
    by: "draw" | "round";
  }[];
  readonly expired: readonly { leaseId: number; at: number }[];
  readonly seeds: readonly { at: number }[];
  readonly posted: readonly { leaseId: number; at: number }[];
  readonly suspected: readonly { leaseId: number; at: number }[];
  readonly restored: readonly { leaseId: number; at: number; cid: string }[];
}

/** How the work of one failed lease went on in one of its successors. Seconds since the fault; absent if it was not seen. */
export interface Recovery {
  readonly fault: string;
  readonly leaseId: number;
  readonly successor: number;
  readonly nodeId: number;
  readonly units: number;
  /** Drawn for by a batch, or granted by a round after its time in the queue. */
  readonly by: "draw" | "round";
  /** The keeper noted the lease as suspect. */
  readonly detected?: number;
  readonly expired?: number;
  /** The seed that decided who goes on. */
  readonly seed?: number;
  readonly drawn: number;
  /** How long before `drawn` it can have been: the chain is looked at again and again. */
  readonly lag: number;
  readonly restored?: number;
  /** The successor's first checkpoint is on chain. */
  readonly checkpoint?: number;
}

/**
 * How each failed lease went on, a row for each successor. Pure; O(faults × happenings).
 *
 * A successor that fails in its turn has rows of its own only if it has a fault of its own.
 */
export function recoveries(faults: readonly Fault[], seen: Happenings): Recovery[] {
  return faults.flatMap(({ what, at: from, leaseIds }) => {
    const since = (at: number | undefined) => (at === undefined ? undefined : Math.max(0, at - from) / 1000);
    return leaseIds.flatMap((leaseId) =>
      seen.granted
        .filter(({ parent }) => parent === leaseId)
        .map(({ leaseId: successor, nodeId, count, at, lag, by }) => {
          const of = <T extends { leaseId: number; at: number }>(list: readonly T[], id: number) =>
            list.find((each) => each.leaseId === id && each.at >= from)?.at;
          const parts = {
            detected: since(of(seen.suspected, leaseId)),
            expired: since(of(seen.expired, leaseId)),
            seed: since(seen.seeds.findLast((seed) => seed.at <= at && seed.at >= from)?.at),
            restored: since(of(seen.restored, successor)),
            checkpoint: since(of(seen.posted, successor)),
          };
          const known = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
          const drawn = since(at) ?? 0;
          return { fault: what, leaseId, successor, nodeId, units: count, by, drawn, lag: lag / 1000, ...known };
        }),
    );
  });
}

/** Reads what happened, from a block on. O(events + lines). */
export async function readHappenings(
  { contracts }: Session,
  clock: BlockClock,
  fromBlock: number,
  logs: { readonly keeper: readonly LogLine[]; readonly agents: readonly LogLine[] },
): Promise<Happenings> {
  const { leases, checkpoints, seeds, rounds } = contracts;
  const [granted, expired, stored, posted, traced, settled] = await Promise.all([
    leases.queryFilter(leases.filters.LeaseGranted(), fromBlock),
    leases.queryFilter(leases.filters.LeaseExpired(), fromBlock),
    seeds.queryFilter(seeds.filters.SeedStored(), fromBlock),
    checkpoints.queryFilter(checkpoints.filters.CheckpointPosted(), fromBlock),
    checkpoints.queryFilter(checkpoints.filters.CheckpointTraced(), fromBlock),
    rounds.queryFilter(rounds.filters.RoundSettled(), fromBlock),
  ]);
  const bySettling = new Set(settled.map(({ transactionHash }) => transactionHash));
  const line = ({ time, lease }: LogLine) => ({ leaseId: Number(lease), at: Number(time) });
  return {
    granted: granted.map(({ args, blockNumber, transactionHash }) => ({
      leaseId: Number(args.leaseId),
      parent: Number(args.parent),
      nodeId: Number(args.nodeId),
      count: Number(args.count),
      at: clock.at(blockNumber),
      lag: clock.lag(blockNumber),
      by: bySettling.has(transactionHash) ? "round" : "draw",
    })),
    expired: expired.map(({ args, blockNumber }) => ({ leaseId: Number(args.leaseId), at: clock.at(blockNumber) })),
    seeds: stored.map(({ blockNumber }) => ({ at: clock.at(blockNumber) })),
    posted: [...posted, ...traced]
      .toSorted((a, b) => a.blockNumber - b.blockNumber || a.index - b.index)
      .map(({ args, blockNumber }) => ({ leaseId: Number(args.leaseId), at: clock.at(blockNumber) })),
    suspected: logs.keeper.filter(({ msg }) => msg === "lease is suspect").map(line),
    restored: logs.agents
      .filter(({ msg }) => msg === "restored from checkpoint")
      .map((each) => ({ ...line(each), cid: String(each["cid"]) })),
  };
}
