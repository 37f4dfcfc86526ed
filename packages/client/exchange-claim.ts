import { type Signer, type TypedDataDomain, verifyTypedData } from "ethers";

/** A file that a unit has published for the other units of its task. */
export interface ExchangeClaim {
  readonly taskId: number;
  readonly unit: number;
  /** Lease under which the unit runs, and its fence. */
  readonly leaseId: number;
  readonly fence: number;
  /** What it is for: a place in the list of kinds of packages/executor/exchange.ts. */
  readonly kind: number;
  readonly round: number;
  /** sha2-256 digest of its CID: `0x` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly codec: number;
  /** Bytes of all blocks. */
  readonly size: number;
}

/** Signed by the operator of the lease's node, so that any unit may pass it on. */
export interface SignedExchangeClaim extends ExchangeClaim {
  readonly signature: string;
}

const TYPES = {
  ExchangeFile: [
    { name: "taskId", type: "uint32" },
    { name: "unit", type: "uint24" },
    { name: "leaseId", type: "uint32" },
    { name: "fence", type: "uint24" },
    { name: "kind", type: "uint8" },
    { name: "round", type: "uint32" },
    { name: "digest", type: "bytes32" },
    { name: "codec", type: "uint16" },
    { name: "size", type: "uint64" },
  ],
};

/** What a key is proved for when units of a task ask each other for what they have. */
export function exchangeSubject(taskId: number): string {
  return `exchange of task ${String(taskId)}`;
}

/** Signs that a unit has published a file. */
export async function signExchange(
  signer: Pick<Signer, "signTypedData">,
  domain: TypedDataDomain,
  claim: ExchangeClaim,
): Promise<SignedExchangeClaim> {
  return { ...claim, signature: await signer.signTypedData(domain, TYPES, messageOf(claim)) };
}

/** Who signed, in lower case; undefined where it is no signature at all. */
export function exchangeSigner(domain: TypedDataDomain, claim: SignedExchangeClaim): string | undefined {
  try {
    return verifyTypedData(domain, TYPES, messageOf(claim), claim.signature).toLowerCase();
  } catch {
    return undefined;
  }
}

function messageOf({ taskId, unit, leaseId, fence, kind, round, digest, codec, size }: ExchangeClaim) {
  return { taskId, unit, leaseId, fence, kind, round, digest, codec, size };
}
