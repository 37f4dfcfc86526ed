import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { BlockReference } from "@verai/client/block-reference";
import type { Lease } from "@verai/client/entities";
import type { KeySource } from "@verai/client/keys";
import { LeaseIndex } from "@verai/client/lease-index";
import type { Session } from "@verai/client/session";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import type { Logger } from "@verai/process/logger";
import { auditsToWaitFor } from "./audits-over.ts";
import { openingOf } from "./seal-task.ts";
import type { TaskKeys } from "./task-keys.ts";
import { type TaskProgress, taskProgress } from "./progress.ts";

/**
 * Follows one task: reports its progress, fetches each delivered result, verifies it against its CID, and accepts what
 * passes. Safe to start again at any time: what is accepted is not fetched again.
 */
export class TaskFollower {
  readonly #session: Session;
  readonly #store: CheckpointStore;
  readonly #key: KeySource;
  readonly #directory: string;
  readonly #index: LeaseIndex;
  readonly #logger: Logger;
  readonly #keys: Pick<TaskKeys, "find">;
  /** What each lease was last said to wait for. */
  readonly #waiting = new Map<number, string>();

  /**
   * @param directory Results go to `<directory>/task-<id>/unit-<index>/`.
   * @param keys Of confidential tasks, whose results are opened.
   */
  constructor(
    session: Session,
    store: CheckpointStore,
    key: KeySource,
    directory: string,
    logger: Logger,
    keys: Pick<TaskKeys, "find">,
  ) {
    this.#keys = keys;
    this.#session = session;
    this.#store = store;
    this.#key = key;
    this.#directory = directory;
    this.#index = new LeaseIndex(session.reader);
    this.#logger = logger;
  }

  /** One look; fetches and accepts what was delivered since the last. */
  async cycle(taskId: number): Promise<TaskProgress> {
    const { reader } = this.#session;
    const { block } = await this.#index.refresh();
    const nodes = await reader.nodes(block);
    const leases = this.#index.all().filter((lease) => lease.taskId === taskId);
    // Those that work on the task come first: they need its spec, and have its results.
    const workers = new Set(leases.map(({ nodeId }) => nodeId));
    const ordered = [...nodes.filter(({ id }) => workers.has(id)), ...nodes.filter(({ id }) => !workers.has(id))];
    const addresses = ordered.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== ""));
    this.#store.setPeers(addresses);

    const delivered = leases.filter(({ status }) => status === "delivered");
    const checked: number[] = [];
    for (const lease of delivered) {
      if ((await this.#mayAccept(lease, block)) && (await this.#fetch(lease))) checked.push(lease.id);
    }
    if (checked.length > 0) await this.#accept(checked);
    return taskProgress(this.#session.reader, this.#index, taskId);
  }

  /** Whether nothing can be found wrong with a lease any longer: what is accepted is paid, whatever an audit finds after it. */
  async #mayAccept(lease: Lease, block: BlockReference): Promise<boolean> {
    const task = await this.#session.reader.task(block, lease.taskId);
    if (!task || task.auditChance === 0) return true;
    const why = await auditsToWaitFor(this.#session, block, lease);
    if (why !== undefined && this.#waiting.get(lease.id) !== why) {
      this.#logger.info({ lease: lease.id, why }, "the result waits for audits");
      this.#waiting.set(lease.id, why);
    }
    return why === undefined;
  }

  /** Fetches a lease's result; a failure leaves it undecided until the next look. */
  async #fetch(lease: Lease): Promise<boolean> {
    if (!lease.result) return false;
    const cid = fromChainCid(lease.result).toString();
    const target = join(this.#directory, `task-${String(lease.taskId)}`, `lease-${String(lease.id)}`);
    try {
      await mkdir(join(this.#directory, `task-${String(lease.taskId)}`), { recursive: true });
      await rm(target, { recursive: true, force: true });
      const { reader } = this.#session;
      const task = await reader.task(await reader.block(), lease.taskId);
      await this.#store.fetchTo(cid, target, {
        timeout: 60_000,
        maxBytes: lease.result.size,
        pin: `result-${String(lease.id)}`,
        ...(task && (await openingOf(this.#keys, task.spec.digest))),
      });
      this.#logger.info({ lease: lease.id, cid, path: target }, "result fetched and verified");
      return true;
    } catch (error) {
      this.#logger.warn({ lease: lease.id, cid, err: error }, "result cannot be fetched yet; not accepting it");
      return false;
    }
  }

  async #accept(leaseIds: readonly number[]): Promise<void> {
    const { queue } = await this.#session.queue(this.#key);
    const { reader, contracts } = this.#session;
    await queue.submit({
      label: `accept leases ${leaseIds.join(", ")}`,
      prepare: async () => {
        const now = await reader.leasesById(await reader.block(), leaseIds);
        const open = now.filter(({ status }) => status === "delivered").map(({ id }) => id);
        return open.length === 0 ? null : contracts.leases.accept.populateTransaction(open);
      },
    });
    this.#logger.info({ leases: leaseIds }, "results accepted");
  }
}
