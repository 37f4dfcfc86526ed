import type { Address, Hex } from "viem";

/** Typed data to sign (EIP-712). */
export interface TypedRequest {
  readonly domain: {
    readonly name?: string;
    readonly version?: string;
    readonly chainId?: number | bigint;
    readonly verifyingContract?: string;
  };
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>;
  readonly primaryType: string;
  readonly message: Readonly<Record<string, unknown>>;
}

/** A signature, and the contract that knows it as its own where the account is one (ERC-1271). */
export interface Signed {
  readonly signature: Hex;
  readonly account?: Address;
}

/** A signed ERC-2612 permit, as the contracts take it. */
export interface SignedPermit {
  /** Wei of VER. */
  readonly value: bigint;
  /** Chain time, seconds. */
  readonly deadline: bigint;
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
}
