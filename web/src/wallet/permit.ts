import { type Address, parseSignature, type PublicClient } from "viem";

import { verTokenAbi } from "@verai/client/typed-abi/VerToken";
import { addressOf, type Config } from "../config.ts";
import type { Signed, SignedPermit, TypedRequest } from "./typed.ts";

/** Chain time for which a permit can be used, seconds. */
const VALID_SECONDS = 3_600n;

/** Has an account sign that the vault may take VER from it, once. It costs nothing. */
export async function signedPermit(
  config: Config,
  client: PublicClient,
  owner: Address,
  value: bigint,
  sign: (typed: TypedRequest) => Promise<Signed>,
): Promise<SignedPermit> {
  const token = { address: addressOf(config, "VerToken"), abi: verTokenAbi } as const;
  const [{ TYPED_DATA }, domain, nonce, { timestamp }] = await Promise.all([
    import("@verai/client/generated/signing"),
    // What the token itself says (ERC-5267).
    client.readContract({ ...token, functionName: "eip712Domain" }),
    client.readContract({ ...token, functionName: "nonces", args: [owner] }),
    client.getBlock(),
  ]);
  const [, name, version, chainId, verifyingContract] = domain;
  const deadline = timestamp + VALID_SECONDS;
  const message = { owner, spender: addressOf(config, "Vault"), value, nonce, deadline };
  const { signature } = await sign({
    domain: { name, version, chainId, verifyingContract },
    types: TYPED_DATA.Permit,
    primaryType: "Permit",
    message,
  });
  const { r, s, v, yParity } = parseSignature(signature);
  return { value, deadline, r, s, v: Number(v ?? BigInt(yParity + 27)) };
}
