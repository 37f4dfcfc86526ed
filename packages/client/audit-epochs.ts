import { NO_HEAD } from "@verai/protocol/audits/segments";
import type { BlockReference } from "./block-reference.ts";
import { safe } from "./internal/convert.ts";
import { answer, blockTag, type Reader } from "./readers.ts";

/** Epochs that are looked back at, at most. */
const MAX_EPOCHS = 512;

/** A stretch of time whose audits one seed draws. Times in seconds of the chain. */
export interface AuditEpoch {
  readonly id: number;
  /** It decides on what was posted after this time, and not after {@link to}. */
  readonly from: number;
  readonly to: number;
  /** Given up: another one decides on its time. */
  readonly abandoned: boolean;
  /** Undefined as long as the oracle has not answered, and if the epoch was given up. */
  readonly seed: string | undefined;
}

/** An epoch that has decided. */
export type SeededEpoch = AuditEpoch & { readonly seed: string };

/** Epochs at a block, the newest first, until the caller has seen enough. Two views for each, after one for their number; at most 512. */
export async function* epochsBack(
  { contracts: { auditEpochs, seeds } }: Pick<Reader, "contracts">,
  at: BlockReference,
): AsyncGenerator<AuditEpoch, void, undefined> {
  const count = safe(await answer(auditEpochs.epochCount(blockTag(at))));
  for (let id = count; id > 0 && id > count - MAX_EPOCHS; id--) {
    const { from, to, requestId, abandoned } = await answer(auditEpochs.epoch(id, blockTag(at)));
    const seed = abandoned ? NO_HEAD : await answer(seeds.seedOf(requestId, blockTag(at)));
    yield { id, from: safe(from), to: safe(to), abandoned, seed: seed === NO_HEAD ? undefined : seed };
  }
}

/** The epoch that decides on what was posted at a time, if its seed has come. Pure, O(epochs). */
export function epochOf(epochs: readonly AuditEpoch[], at: number): SeededEpoch | undefined {
  return epochs.find((epoch): epoch is SeededEpoch => epoch.seed !== undefined && epoch.from < at && at <= epoch.to);
}
