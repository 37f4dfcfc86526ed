import { type Signer, type TypedDataDomain, verifyTypedData } from "ethers";

import { signingDomain, typesOf } from "./signing.ts";

/** A checkpoint of a lease, as it is posted. */
export interface CheckpointClaim {
  readonly leaseId: number;
  readonly fence: number;
  /** sha2-256 digest of its CID: `0x` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly codec: number;
  /** Work done, in basis points of a unit, summed over the lease's units. */
  readonly progress: number;
  /** Bytes of all blocks. */
  readonly size: number;
}

/** A receipt as the chain takes it: with the place of its node among the lease's candidates. */
export interface HolderReceipt extends Receipt {
  readonly candidate: number;
}

/** What a holder gives for a checkpoint that it holds: proof to the chain that it does. */
export interface Receipt {
  readonly nodeId: number;
  readonly signature: string;
}

/** The type that CheckpointRegistry.sol verifies (EIP-712). */
const TYPES = typesOf("CheckpointReceipt");

/** Binds signatures to one chain and one registry. */
export function receiptDomain(chainId: number, checkpointRegistry: string): TypedDataDomain {
  return signingDomain(chainId, checkpointRegistry);
}

/** Signs that node `nodeId` holds a checkpoint. Its producer signs the same when it asks others, in its own name. */
export async function signReceipt(
  signer: Pick<Signer, "signTypedData">,
  domain: TypedDataDomain,
  claim: CheckpointClaim,
  nodeId: number,
): Promise<string> {
  return signer.signTypedData(domain, TYPES, message(claim, nodeId));
}

/** Who signed; undefined where it is no signature at all. */
export function receiptSigner(
  domain: TypedDataDomain,
  claim: CheckpointClaim,
  { nodeId, signature }: Receipt,
): string | undefined {
  try {
    return verifyTypedData(domain, TYPES, message(claim, nodeId), signature);
  } catch {
    return undefined;
  }
}

function message(claim: CheckpointClaim, nodeId: number): Record<string, number | string> {
  const { leaseId, fence, digest, codec, progress, size } = claim;
  return { leaseId, fence, digest, codec, progress, size, nodeId };
}
