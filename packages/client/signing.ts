import { SIGNING_DOMAIN, TYPED_DATA } from "./generated/signing.ts";

/** An EIP-712 domain: it binds signatures to one chain and one contract. */
export interface SigningDomain {
  readonly name: string;
  readonly version: string;
  readonly chainId: number | bigint;
  readonly verifyingContract: string;
}

/** The domain of signatures for a contract of the protocol: telemetry for reports, the checkpoint registry for receipts. */
export function signingDomain(chainId: number | bigint, verifyingContract: string): SigningDomain {
  return { ...SIGNING_DOMAIN, chainId, verifyingContract };
}

/** EIP-712 types in the form that ethers takes them in: a copy that may be changed. */
export function typesOf(name: keyof typeof TYPED_DATA): Record<string, { name: string; type: string }[]> {
  const types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>> = TYPED_DATA[name];
  return Object.fromEntries(
    Object.entries(types).map(([type, fields]) => [type, fields.map((field) => ({ ...field }))]),
  );
}
