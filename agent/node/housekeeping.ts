import type { Lease } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { monotonicMs } from "@verai/system/clock";
import type { ReceiptResponder } from "../replication/responder.ts";
import { type AgentContext, checkpointLabel } from "../context.ts";
import type { Replicas } from "../replication/replicas.ts";
import type { SpecOffers } from "./spec-offers.ts";
import type { TaskHolds } from "./task-holds.ts";
import { exchangeLabel } from "../exchange/task-exchange.ts";
import { tidyResults } from "./results.ts";
import { keptLeases, keptResults, needsCheckpoints } from "./retention.ts";

/** Pause between two rounds, milliseconds. */
const PAUSE_MS = 15_000;

/** Rounds for which leases that the chain does not show are waited for: ten minutes. */
const MISSES = 40;

/** What the store holds pins of, by lease. */
const LABEL = /^(?:checkpoint|attested|replica|result|exchange)-(\d+)$/;

/**
 * Lets go of what is no longer of use in the store: it looks at the leases that something is pinned of here, and at no others.
 * O(pins) a round; a node that holds nothing makes no call.
 */
export class Housekeeping {
  readonly #context: AgentContext;
  readonly #replicas: Pick<Replicas, "tidy">;
  readonly #responder: Pick<ReceiptResponder, "tidy">;
  readonly #holds: Pick<TaskHolds, "tidy">;
  readonly #offers: Pick<SpecOffers, "tidy">;
  readonly #now: () => number;
  #due = 0;
  /** Rounds in a row in which the chain did not have all the leases. */
  #missed = 0;
  #held: readonly Lease[] = [];

  constructor(
    context: AgentContext,
    replicas: Pick<Replicas, "tidy">,
    responder: Pick<ReceiptResponder, "tidy">,
    holds: Pick<TaskHolds, "tidy">,
    offers: Pick<SpecOffers, "tidy">,
    now: () => number = monotonicMs,
  ) {
    this.#context = context;
    this.#replicas = replicas;
    this.#responder = responder;
    this.#holds = holds;
    this.#offers = offers;
    this.#now = now;
  }

  /** Leases that something is pinned of here, as the last round saw them. */
  get held(): readonly Lease[] {
    return this.#held;
  }

  /** Has the next call of {@link keep} look, whenever it comes: something is over. */
  hasten(): void {
    this.#due = 0;
  }

  /** One round, if it is time for one. */
  async keep(block: BlockReference): Promise<void> {
    if (this.#now() < this.#due) return;
    const { session, store, logger } = this.#context;
    const { reader } = session;
    await this.#offers.tidy(block);
    const ids = new Set<number>();
    for (const { labels } of store.list()) {
      for (const label of labels) {
        const id = LABEL.exec(label)?.[1];
        if (id !== undefined) ids.add(Number(id));
      }
    }
    const leases = ids.size === 0 ? [] : await reader.leasesThatExist(block, [...ids]);
    // A lease that is not there yet at this block may be so at the next: its copies were asked for a moment ago.
    this.#missed = leases.length < ids.size ? this.#missed + 1 : 0;
    this.#due = this.#now() + PAUSE_MS;
    if (this.#missed > 0 && this.#missed < MISSES) return;
    const ended = leases.filter(({ status }) => ["released", "expired", "rejected"].includes(status));
    const tasks = await reader.tasksById(block, [...new Set(ended.map(({ taskId }) => taskId))]);
    const open = new Set(tasks.filter((task) => needsCheckpoints(task, block.timestamp)).map(({ id }) => id));
    const kept = keptLeases(leases, block.timestamp, (taskId) => open.has(taskId));
    const keptIds = new Set(kept.map(({ id }) => id));
    this.#held = leases;
    // What was pinned meanwhile, of leases that were not looked at, is left to the next round.
    await this.#replicas.tidy(reader, block, [...new Set([...kept, ...keptResults(leases, block.timestamp)])], ids);
    await this.#responder.tidy(block, kept, ids);
    await this.#holds.tidy(block);
    await tidyResults(store, keptIds, ids, logger);
    await this.#unpinCheckpoints(keptIds, ids);
  }

  /** This node's own checkpoints of leases that are over, and what their units have exchanged. */
  async #unpinCheckpoints(kept: ReadonlySet<number>, looked: ReadonlySet<number>): Promise<void> {
    const { store, exchanges, auditStates } = this.#context;
    await exchanges.tidy();
    let gone = 0;
    for (const { cid, labels } of store.list()) {
      for (const label of labels) {
        const id = Number(LABEL.exec(label)?.[1]);
        const isOver =
          label === exchangeLabel(id) ? !exchanges.leaseIds.has(id) : label === checkpointLabel(id) && looked.has(id);
        if (!isOver || kept.has(id)) continue;
        if (label === checkpointLabel(id) && (await auditStates.keeps(id)).has(cid.toString())) continue;
        await store.unpin(cid, label);
        gone += 1;
      }
    }
    if (gone > 0) await store.collectGarbage();
  }
}
