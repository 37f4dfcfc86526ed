import type { Report, SignedReport } from "@verai/client/report";

/** Reports that a keeper keeps of one node: its agent sends them again if they get lost. */
const MOST_PER_NODE = 8;
/** Reports that a keeper keeps in all. */
const MOST = 20_000;

/**
 * Reports that agents have sent and that the chain does not have yet: bounded, and each only once.
 *
 * Only reports that were found good (signed by a node's operator, newer than the chain's) are to be put in: so nobody but
 * the operators of registered nodes can fill it, each a few places.
 */
export class ReportInbox {
  /** By node, then by sequence. */
  readonly #nodes = new Map<number, Map<number, { readonly signed: SignedReport; readonly at: number }>>();
  #size = 0;

  /** Reports that wait. */
  get size(): number {
    return this.#size;
  }

  /** Whether this very report waits already. */
  has({ report, signature }: SignedReport): boolean {
    return this.#nodes.get(report.nodeId)?.get(report.sequence)?.signed.signature === signature;
  }

  /** Whether another report of a node would find room. */
  hasRoom(nodeId: number): boolean {
    return (this.#nodes.get(nodeId)?.size ?? 0) < MOST_PER_NODE && this.#size < MOST;
  }

  /**
   * Puts a report in.
   *
   * @param at When it came, ms since 1970.
   * @returns False if there is no room.
   */
  add(signed: SignedReport, at: number): boolean {
    const { nodeId, sequence } = signed.report;
    const own = this.#nodes.get(nodeId) ?? new Map<number, { signed: SignedReport; at: number }>();
    if (own.has(sequence)) return true;
    if (own.size >= MOST_PER_NODE || this.#size >= MOST) return false;
    own.set(sequence, { signed, at });
    this.#nodes.set(nodeId, own);
    this.#size += 1;
    return true;
  }

  /** Lets go of reports that are over: on chain, or never to be taken. */
  settle(isOver: (signed: SignedReport) => boolean): void {
    for (const [nodeId, own] of this.#nodes) {
      for (const [sequence, { signed }] of own) {
        if (isOver(signed) && own.delete(sequence)) this.#size -= 1;
      }
      if (own.size === 0) this.#nodes.delete(nodeId);
    }
  }

  /** Nodes that reports wait of. */
  nodes(): number[] {
    return [...this.#nodes.keys()];
  }

  /** What waits of a node, by ascending sequence. */
  of(nodeId: number): { readonly signed: SignedReport; readonly at: number }[] {
    return [...(this.#nodes.get(nodeId)?.values() ?? [])].sort(
      (a, b) => a.signed.report.sequence - b.signed.report.sequence,
    );
  }
}

/**
 * Upper estimate of the gas that the chain takes for a report.
 *
 * @param first Whether the node has none on chain yet: its first one writes new slots.
 */
export function gasOf({ shares }: Report, first: boolean): number {
  return 90_000 + 45_000 * shares.length + (first ? 200_000 : 0);
}
