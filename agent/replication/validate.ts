import type { Lease, Node } from "@verai/client/entities";
import { isOurs } from "../lease/lease-plan.ts";
import type { ReceiptRequest } from "./protocol.ts";

/** Basis points of a unit that is done. */
const WHOLE = 10_000;

/** What a holder knows, at one block, when it is asked for a receipt. */
export interface RequestView {
  /** The lease; undefined if there is none with this id. */
  readonly lease: Lease | undefined;
  /** The lease's node. */
  readonly producer: Node | undefined;
  /** The node that is asked. */
  readonly self: Node | undefined;
  /** Nodes that may sign for the lease's checkpoints. */
  readonly holders: readonly number[];
  /** Progress of the lease's newest checkpoint on chain, 0 if there is none. */
  readonly progress: number;
  /** Who signed the request in the producer's name; undefined if nobody did. */
  readonly signer: string | undefined;
  /** Bytes of the largest checkpoint that this node copies. */
  readonly maxBytes: number;
  /** Why the machine can take nothing in now; undefined if it can. */
  readonly full: string | undefined;
}

/**
 * Why a node should not copy and sign for a checkpoint; undefined if it should. Pure.
 *
 * What counts is what the chain says, not which peer asks: anybody may relay a request, but only the lease's own node can
 * have signed it, so that nobody makes others fetch what no lease stands behind.
 */
export function refusal(request: ReceiptRequest, view: RequestView): string | undefined {
  const { lease, producer, self, signer } = view;
  const name = `lease ${String(request.leaseId)}`;
  if (!lease) return `${name} does not exist at the block that this node sees`;
  if (lease.fence !== request.fence) {
    return `${name} has fence ${String(lease.fence)}, not ${String(request.fence)}: it has changed hands`;
  }
  if (!isOurs(lease)) return `${name} is ${lease.status}`;
  if (!producer) return `${name} belongs to a node that is not known`;
  if (signer === undefined || signer.toLowerCase() !== producer.operator.toLowerCase()) {
    return `the request is not signed by the operator of node ${String(producer.id)}, which holds ${name}`;
  }
  if (!self || self.status !== "active") return `this node is ${self?.status ?? "not registered"}`;
  if (self.id === producer.id) return `node ${String(self.id)} cannot vouch for itself`;
  if (!view.holders.includes(self.id)) {
    return `node ${String(self.id)} is no holder of ${name}, whose holders are ${view.holders.join(", ") || "none"} now`;
  }
  if (request.progress > lease.count * WHOLE) {
    return `a progress of ${String(request.progress)} is more than ${String(lease.count)} units have`;
  }
  if (request.progress <= view.progress) {
    return `${name} has got to ${String(view.progress)} already, beyond ${String(request.progress)}`;
  }
  if (request.size > view.maxBytes) {
    return `${String(request.size)} bytes exceed the ${String(view.maxBytes)} that this node takes in a checkpoint`;
  }
  return view.full;
}
