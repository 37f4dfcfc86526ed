import { randomBytes } from "node:crypto";

import PQueue from "p-queue";

import type { BlockReference } from "@verai/client/block-reference";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { SPOT_PROTOCOL, spotAnswer } from "../replication/spot-protocol.ts";
import { MAX_MESSAGE_BYTES } from "../replication/protocol.ts";
import type { Restorable } from "./lineage.ts";

/** Time for one answer, milliseconds. */
const ANSWER_MS = 5_000;
/** Questions on their way at once. */
const AT_ONCE = 16;

/** What is asked with. */
export interface LocateParts {
  readonly store: Pick<CheckpointStore, "request">;
  readonly block: () => Promise<BlockReference>;
  /** Which of these nodes cannot be expected to answer, by what the chain says: they have left, or missed their reports. */
  readonly goneOf: (block: BlockReference, nodeIds: readonly number[]) => Promise<ReadonlySet<number>>;
}

/** Where checkpoints may still be. */
export interface Located {
  /** Nodes that say that they have one of them. */
  readonly having: readonly number[];
  /** Nodes that the chain names, does not say are gone, and that were not reached. */
  readonly unreached: readonly number[];
}

/**
 * Asks each node that the chain names whether it has any of these checkpoints. Only where none has, and all were reached or are
 * gone by the chain's own word, may work begin again from nothing: that somebody does not answer says nothing of what he holds.
 * O(checkpoints × holders) questions.
 */
export async function locate(
  restorable: readonly Restorable[],
  { store, block, goneOf }: LocateParts,
): Promise<Located> {
  const named = new Map<number, { readonly endpoint: string; readonly cids: Set<string> }>();
  const failed = new Set<number>();
  for (const { checkpoint, named: nodes, failed: one } of restorable) {
    if (one !== undefined) failed.add(one);
    for (const { nodeId, endpoint } of nodes) {
      const entry = named.get(nodeId) ?? { endpoint, cids: new Set() };
      entry.cids.add(fromChainCid(checkpoint).toString());
      named.set(nodeId, entry);
    }
  }
  const queue = new PQueue({ concurrency: AT_ONCE });
  const having = new Set<number>();
  const unreached = new Set<number>();
  await queue.addAll(
    [...named].map(([nodeId, { endpoint, cids }]) => async () => {
      for (const cid of cids) {
        try {
          const nonce = randomBytes(32).toString("hex");
          const options = { timeout: ANSWER_MS, maxBytes: MAX_MESSAGE_BYTES };
          const answered = await store.request(endpoint.split(","), SPOT_PROTOCOL, { cid, nonce }, options);
          if (spotAnswer.parse(answered).kind === "proof") having.add(nodeId);
        } catch {
          unreached.add(nodeId);
          return;
        }
      }
    }),
  );
  const silent = unreached.size === 0 ? new Set<number>() : await goneOf(await block(), [...unreached]);
  return {
    having: [...having],
    unreached: [...unreached].filter((nodeId) => !silent.has(nodeId) && !failed.has(nodeId)),
  };
}
