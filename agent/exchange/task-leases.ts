import { id } from "ethers";

import type { Lease, Task } from "@verai/client/entities";
import { LogScanner } from "@verai/client/event-logs";
import type { Session } from "@verai/client/session";

const GRANTED = id("LeaseGranted(uint32,uint32,uint32,uint24,uint24,uint40,uint24,uint32)");

/** Blocks before the newest that was looked at which are looked at again: an endpoint may have lagged without a word. */
const OVERLAP = 32;

/** A node that runs, or has run, units of the same task. */
export interface Fellow {
  readonly nodeId: number;
  readonly leaseId: number;
  /** In lower case. */
  readonly operator: string;
  readonly endpoint: string;
}

/** A task's leases as one look at the chain shows them. */
export interface TaskLeasesView {
  /** All, those that are over included, with the operators of their nodes in lower case. */
  readonly leases: ReadonlyMap<number, { readonly lease: Lease; readonly operator: string }>;
  /** Other nodes that have units now, or have delivered some. */
  readonly fellows: readonly Fellow[];
}

/** The leases of one task, found by their events. */
export class TaskLeases {
  readonly #session: Pick<Session, "reader" | "provider" | "contracts">;
  readonly #task: Pick<Task, "id" | "submittedAt">;
  readonly #nodeId: number;
  readonly #scanner: LogScanner;
  readonly #ids = new Set<number>();
  #cursor: number | undefined;

  /** @param nodeId The own node, which is no fellow. */
  constructor(
    session: Pick<Session, "reader" | "provider" | "contracts">,
    task: Pick<Task, "id" | "submittedAt">,
    nodeId: number,
  ) {
    this.#session = session;
    this.#task = task;
    this.#nodeId = nodeId;
    this.#scanner = new LogScanner(session.provider);
  }

  /** One look. O(leases of the task). */
  async look(): Promise<TaskLeasesView> {
    const { reader, provider, contracts } = this.#session;
    const block = await reader.block();
    const address = [await contracts.leases.getAddress()];
    const filter = { address, topics: [[GRANTED], null, [`0x${this.#task.id.toString(16).padStart(64, "0")}`]] };
    const take = (logs: readonly { readonly topics: readonly string[] }[]) => {
      for (const { topics } of logs) this.#ids.add(Number(topics[1]));
    };
    if (this.#cursor === undefined) {
      await this.#scanner.back(filter, block.number, 0, async (logs, down) => {
        take(logs);
        const then = down === 0 ? null : await provider.getBlock(down);
        // Nothing was granted before the task was submitted.
        return then !== null && then.timestamp < this.#task.submittedAt;
      });
    } else {
      take(await this.#scanner.scan(filter, Math.max(0, Math.min(this.#cursor, block.number) - OVERLAP), block.number));
    }
    const leases = await reader.leasesThatExist(block, [...this.#ids]);
    const nodes = new Map(
      (await reader.nodesById(block, [...new Set(leases.map(({ nodeId }) => nodeId))])).map((node) => [node.id, node]),
    );
    this.#cursor = block.number;
    const known = leases.filter(({ taskId }) => taskId === this.#task.id);
    const fellows = new Map<number, Fellow>();
    for (const { id: leaseId, nodeId, status } of known) {
      const node = nodes.get(nodeId);
      const isFellow = ["active", "moving", "delivered", "disputed", "paid"].includes(status);
      if (!node || node.endpoint === "" || nodeId === this.#nodeId || !isFellow) continue;
      fellows.set(nodeId, { nodeId, leaseId, operator: node.operator.toLowerCase(), endpoint: node.endpoint });
    }
    return {
      leases: new Map(
        known.map((lease) => [lease.id, { lease, operator: (nodes.get(lease.nodeId)?.operator ?? "").toLowerCase() }]),
      ),
      fellows: [...fellows.values()],
    };
  }
}
