import type { SignedReport } from "@verai/client/report";

/** Nodes that a keeper keeps a report of: agents send theirs again if they get lost. */
const MOST = 20_000;

interface Waiting {
  readonly signed: SignedReport;
  /** When the first report of the node that waits came, milliseconds. */
  readonly at: number;
}

/**
 * Reports that agents have sent and that the chain does not have yet: of each node the newest, because only that decides.
 *
 * Only reports that were found good (signed by a node's operator, newer than the chain's) are to be put in: so nobody but
 * the operators of registered nodes can fill it, each one place.
 */
export class ReportInbox {
  readonly #nodes = new Map<number, Waiting>();

  /** Reports that wait. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Whether this very report waits already. */
  has({ report, signature }: SignedReport): boolean {
    return this.#nodes.get(report.nodeId)?.signed.signature === signature;
  }

  /**
   * Puts a report in, in place of an older one of its node.
   *
   * @param at When it came, ms since 1970.
   * @returns False if there is no room.
   */
  add(signed: SignedReport, at: number): boolean {
    const { nodeId, sequence } = signed.report;
    const own = this.#nodes.get(nodeId);
    if (own && own.signed.report.sequence >= sequence) return true;
    if (!own && this.#nodes.size >= MOST) return false;
    this.#nodes.set(nodeId, { signed, at: own?.at ?? at });
    return true;
  }

  /** Lets go of reports that are over: on chain, or never to be taken. */
  settle(isOver: (signed: SignedReport) => boolean): void {
    for (const [nodeId, { signed }] of this.#nodes) if (isOver(signed)) this.#nodes.delete(nodeId);
  }

  /** All that wait. */
  waiting(): Waiting[] {
    return [...this.#nodes.values()];
  }
}

/**
 * Upper estimate of the gas that the chain takes for a report: most take less than 15,000, one that lets its node into new
 * work, or takes it out, changes the listings.
 *
 * @param first Whether the node has none on chain yet: its first one writes a new slot.
 */
export function gasOf(first: boolean): number {
  return 90_000 + (first ? 20_000 : 0);
}
