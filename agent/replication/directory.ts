import type { Lease, Node } from "@verai/client/entities";

/** Milliseconds between two reads of the chain for unknown leases, no matter who asks for them. */
const REFRESH_MS = 2_000;

/** What a request for a receipt is held against before the chain is read for it. */
export interface Producer {
  readonly lease: Lease;
  /** Address of the operator of the lease's node. */
  readonly operator: string;
}

/** Reads one lease and its node's operator from the chain; undefined if there is no such lease. */
export type ReadProducer = (leaseId: number) => Promise<Producer | undefined>;

/**
 * Who may ask for receipts, as the node knew at its last look at the chain. A stranger's request costs no call: only for a
 * lease or a fence that is newer than the last look is the chain read, and that once in {@link REFRESH_MS} at most, no matter who
 * and how many ask.
 */
export class OperatorDirectory {
  readonly #read: ReadProducer;
  readonly #now: () => number;
  #operators: ReadonlyMap<number, string> = new Map();
  #lease: (leaseId: number) => Lease | undefined = () => undefined;
  #newest: Producer | undefined;
  #readAt = -Infinity;

  /** @param now - milliseconds, monotonic */
  constructor(read: ReadProducer, now: () => number = () => performance.now()) {
    this.#read = read;
    this.#now = now;
  }

  /** Takes what a look at the chain has shown. */
  see(nodes: readonly Pick<Node, "id" | "operator">[], lease: (leaseId: number) => Lease | undefined): void {
    this.#operators = new Map(nodes.map(({ id, operator }) => [id, operator]));
    this.#lease = lease;
  }

  /**
   * The lease with this fence, or a later one, and its producer; undefined if it is not known, and cannot be read now.
   *
   * @throws what reading the chain throws
   */
  async find(leaseId: number, fence: number): Promise<Producer | undefined> {
    const known = this.#known(leaseId);
    if (known && known.lease.fence >= fence) return known;
    const now = this.#now();
    if (leaseId === 0 || now - this.#readAt < REFRESH_MS) return known;
    this.#readAt = now;
    this.#newest = await this.#read(leaseId);
    return this.#newest ?? known;
  }

  #known(leaseId: number): Producer | undefined {
    const lease = this.#lease(leaseId);
    const operator = lease && this.#operators.get(lease.nodeId);
    const newest = this.#newest?.lease.id === leaseId ? this.#newest : undefined;
    if (!lease || operator === undefined) return newest;
    return newest && newest.lease.fence > lease.fence ? newest : { lease, operator };
  }
}
