import type { Lease } from "./entities.ts";
import { type Finality, type BlockReference, BlockTracker } from "./block-reference.ts";
import type { Reader } from "./readers.ts";
import { FINAL_LEASE_STATUSES } from "./enums.ts";

/** What a refresh brought. */
export interface LeaseChanges {
  readonly block: BlockReference;
  /** Leases that are new, or that could still change and were therefore read again. */
  readonly read: readonly Lease[];
  /** The chain was reorganised: everything was read again, and leases seen before may be gone. */
  readonly reorganised: boolean;
}

/**
 * All leases, kept up to date at little cost: a refresh reads the new ids and, again, those leases that can still change.
 *
 * A refresh that fails leaves the index as it was. An endpoint that lags behind makes it fail with RpcUnavailableError, so no
 * lease ever disappears but by a reorganisation of the chain.
 */
export class LeaseIndex {
  readonly #reader: Reader;
  readonly #track: BlockTracker;
  #leases = new Map<number, Lease>();
  #stale = false;

  constructor(reader: Reader, finality: Finality = "latest") {
    this.#reader = reader;
    this.#track = new BlockTracker(reader.provider, finality);
  }

  /** Reads what is new and what may have changed. O(live + new leases) entries. Not to be called while it runs. */
  async refresh(): Promise<LeaseChanges> {
    const { block, reorganised } = await this.#track.next();
    // Remembered beyond a failure below, or the next refresh would trust what the reorganisation has undone.
    this.#stale ||= reorganised;
    const known = this.#stale ? new Map<number, Lease>() : this.#leases;
    const again = await this.#reader.leasesById(
      block,
      this.#of(known).map(({ id }) => id),
    );
    const fresh = await this.#reader.leases(block, known.size + 1);
    const read = [...again, ...fresh];
    const leases = new Map(known);
    for (const lease of read) leases.set(lease.id, lease);
    const changes = { block, read, reorganised: this.#stale };
    this.#leases = leases;
    this.#stale = false;
    return changes;
  }

  /** A lease; undefined if it was not granted up to the last refresh. */
  get(leaseId: number): Lease | undefined {
    return this.#leases.get(leaseId);
  }

  /** All leases, by ascending id. */
  all(): Lease[] {
    return [...this.#leases.values()];
  }

  /** Leases that can still change: active, delivered or disputed. */
  live(): Lease[] {
    return this.#of(this.#leases);
  }

  #of(leases: ReadonlyMap<number, Lease>): Lease[] {
    return [...leases.values()].filter(({ status }) => !FINAL_LEASE_STATUSES.includes(status));
  }
}
