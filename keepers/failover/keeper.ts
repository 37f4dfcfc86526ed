import { LeaseIndex } from "../../chain/lease-index.ts";
import type { Reader } from "../../chain/readers.ts";
import type { Logger } from "../../service/logger.ts";
import type { Sender } from "../sender.ts";
import { overdueLeases } from "./overdue.ts";

/**
 * Expires leases whose node has failed, so that their units go back to the queue with their checkpoints.
 *
 * Open to anyone; the first to do so earns the bounty, any other finds out in its simulation.
 */
export class FailoverKeeper {
  readonly #reader: Reader;
  readonly #index: LeaseIndex;
  readonly #sender: Sender;
  readonly #logger: Logger;

  constructor(reader: Reader, sender: Sender, logger: Logger) {
    this.#reader = reader;
    this.#index = new LeaseIndex(reader);
    this.#sender = sender;
    this.#logger = logger;
  }

  /** One look and what follows from it. @returns Whether anything was sent. */
  async cycle(): Promise<boolean> {
    const { pin } = await this.#index.refresh();
    const active = this.#index.live().filter(({ status }) => status === "active");
    const deadlines = new Map<number, number>();
    for (const taskId of new Set(active.map((lease) => lease.taskId))) {
      const task = await this.#reader.task(pin, taskId);
      if (task) deadlines.set(taskId, task.deadline);
    }
    const signs = active.map(({ id, due, taskId }) => ({
      id,
      due,
      status: "active" as const,
      deadline: deadlines.get(taskId) ?? Infinity,
    }));
    let sent = false;
    for (const { leaseId, reason } of overdueLeases(signs, pin.timestamp)) {
      this.#logger.warn({ lease: leaseId, reason }, "lease is overdue");
      sent =
        (await this.#sender.send(`expire lease ${String(leaseId)}`, async () => {
          // Asked again right before sending: the node may have posted meanwhile.
          const now = await this.#reader.pin();
          const [lease] = await this.#reader.leasesById(now, [leaseId]);
          const deadline = deadlines.get(lease?.taskId ?? 0) ?? Infinity;
          if (lease?.status !== "active" || (now.timestamp <= lease.due && now.timestamp <= deadline)) return null;
          return this.#reader.contracts.leases.expire.populateTransaction(leaseId);
        })) || sent;
    }
    return sent;
  }
}
