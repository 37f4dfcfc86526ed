import type { Session } from "@verai/client/session";
import { microToWei } from "@verai/protocol/money/ver";
import type { Logger } from "@verai/process/logger";
import type { Executor } from "@verai/executor/executor";
import type { AgentConfig } from "../config.ts";
import { monotonicMs } from "@verai/system/clock";

/** Milliseconds for which a larger capacity has to stand before it is offered: what comes and goes is not to be sold. */
const STEADY_MS = 300_000;
/** Milliseconds between two looks. */
const LOOK_MS = 30_000;

/** What is known when a capacity is chosen. Units. */
export interface CapacityFacts {
  /** What the chain says. */
  readonly registered: number;
  /** Of these, units that are leased, which stay whatever happens. */
  readonly leased: number;
  /** What the owner offers at most. */
  readonly configured: number;
  /** What there is room for now. */
  readonly room: number;
  /** The minimum room of the recent past. */
  readonly steady: number;
}

/**
 * The capacity to register: less at once when there is less room, more only of what was there all the time. Never below
 * what is leased, never above what the owner configured, at least one (a node cannot have none; it drains instead). Pure.
 *
 * @returns undefined if it stays as it is.
 */
export function capacityToOffer({ registered, leased, configured, room, steady }: CapacityFacts): number | undefined {
  const floor = Math.max(1, leased);
  const wanted = Math.max(floor, Math.min(configured, room < registered ? room : Math.max(steady, registered)));
  return wanted === registered ? undefined : wanted;
}

/** Lets the capacity that a node offers follow what its engine has room for. Needs the owner's key. */
export class CapacityFollower {
  readonly #context: { session: Session; config: AgentConfig; executor: Executor; logger: Logger };
  #rooms: { at: number; room: number }[] = [];
  #looked = -Infinity;

  constructor(context: { session: Session; config: AgentConfig; executor: Executor; logger: Logger }) {
    this.#context = context;
  }

  /** One look, if it is time for one, and the transaction that follows from it. */
  async follow(nodeId: number, now = monotonicMs()): Promise<void> {
    const { session, config, executor, logger } = this.#context;
    if (!config.owner || now - this.#looked < LOOK_MS) return;
    const room = await executor.capacity?.();
    if (room === undefined) return;
    this.#looked = now;
    this.#rooms = [...this.#rooms.filter(({ at }) => now - at <= STEADY_MS + LOOK_MS), { at: now, room }];
    const long = now - (this.#rooms[0]?.at ?? now) >= STEADY_MS;
    const block = await session.reader.block();
    const node = await session.reader.node(block, nodeId);
    if (node?.status !== "active" && node?.status !== "draining") return;
    const steady = long ? Math.min(...this.#rooms.map((each) => each.room)) : 0;
    const { capacity: registered, leased, classId } = node;
    const capacity = capacityToOffer({ registered, leased, configured: config.node.capacity, room, steady });
    if (capacity === undefined) return;
    // The ask stays what it is on the chain: its owner may have changed it there.
    const its = (await session.reader.classes(block)).find(({ id }) => id === classId);
    if (!its) throw new Error(`class ${String(classId)} is not on the chain`);
    const ask = microToWei(node.askTick * its.tickSize);
    const { queue } = await session.queue(config.owner);
    logger.info({ from: registered, to: capacity, room }, "the cluster has other room now: changing what is offered");
    await queue.submit({
      label: "set capacity",
      prepare: () => session.contracts.nodes.setTerms.populateTransaction(nodeId, { classId, capacity, ask }),
    });
  }
}
