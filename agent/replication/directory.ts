import type { Lease } from "@verai/client/entities";
import { Budget } from "@verai/system/budget";

/** Looks at the chain for unknown leases, no matter who asks for them: in a second, and at once. */
const LOOKS = { perSecond: 4, burst: 32, maxNames: 1 };

/** Leases that are remembered; beyond, the one asked for longest ago is forgotten. */
const MAX_KNOWN = 4_096;

/** What a request for a receipt is held against before the chain is read for it. */
export interface Producer {
  readonly lease: Lease;
  /** Address of the operator of the lease's node. */
  readonly operator: string;
}

/** Reads one lease and its node's operator from the chain; undefined if there is no such lease. */
export type ReadProducer = (leaseId: number) => Promise<Producer | undefined>;

/**
 * Who may ask for receipts: of each lease that was asked about, its node's operator. A lease is read from the chain when it is
 * first asked about, or under a newer fence, and after that costs no call; strangers who make leases up use a bounded number of
 * calls together.
 */
export class OperatorDirectory {
  readonly #read: ReadProducer;
  readonly #looks: Budget;
  /** In the order of their last use. */
  readonly #known = new Map<number, Producer>();
  readonly #doubted = new Set<number>();

  /** @param now Milliseconds, monotonic. */
  constructor(read: ReadProducer, now: () => number = () => performance.now()) {
    this.#read = read;
    this.#looks = new Budget({ ...LOOKS, now });
  }

  /**
   * The lease with this fence, or a later one, and its producer; undefined if it is not known, and cannot be read now.
   *
   * @throws What reading the chain throws.
   */
  async find(leaseId: number, fence: number): Promise<Producer | undefined> {
    const known = this.#known.get(leaseId);
    const isGood = known !== undefined && known.lease.fence >= fence;
    if (isGood && !this.#doubted.has(leaseId)) return this.#remember(leaseId, known);
    if (leaseId === 0 || !this.#looks.take("")) return known;
    const read = await this.#read(leaseId);
    this.#doubted.delete(leaseId);
    return read ? this.#remember(leaseId, read) : known;
  }

  /** Has a known lease be read again when it is next asked about: its node's operator may have changed. */
  doubt(leaseId: number): void {
    if (this.#known.has(leaseId)) this.#doubted.add(leaseId);
  }

  #remember(leaseId: number, producer: Producer): Producer {
    this.#known.delete(leaseId);
    this.#known.set(leaseId, producer);
    if (this.#known.size > MAX_KNOWN) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) {
        this.#known.delete(oldest);
        this.#doubted.delete(oldest);
      }
    }
    return producer;
  }
}
