import { TYPED_DATA } from "@verai/client/generated/signing";
import type { Hex } from "./addresses.ts";

/** Who allows whom to take how much of the token, until when. */
export interface PermitTerms {
  /** What the token's `eip712Domain()` answers: never guess name and version. */
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: number | bigint;
    readonly verifyingContract: Hex;
  };
  readonly owner: Hex;
  /** The vault, for what the protocol's `…WithPermit` functions take. */
  readonly spender: Hex;
  /** Wei of VER. */
  readonly value: bigint;
  /** What the token's `nonces(owner)` answers. */
  readonly nonce: bigint;
  /** Chain time until which it can be used, seconds. */
  readonly deadline: bigint;
}

/**
 * An ERC-2612 permit as typed data (EIP-712), in the form that viem's `signTypedData` takes it in; ethers takes `domain`,
 * `types` and `message` one by one.
 */
export function permitTypedData({ domain, ...message }: PermitTerms) {
  const { name, version, chainId, verifyingContract } = domain;
  return {
    domain: { name, version, chainId: Number(chainId), verifyingContract },
    types: TYPED_DATA.Permit,
    primaryType: "Permit",
    message,
  } as const;
}
