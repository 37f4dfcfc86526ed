import { Signature, type Signer } from "ethers";

import type { Contracts } from "./deployment.ts";
import { ChainError } from "./errors.ts";
import { explain } from "./error-messages.ts";
import { blockReference } from "./block-reference.ts";
import { typesOf } from "./signing.ts";

/** A signed ERC-2612 permit, in the order in which the contracts' `…WithPermit` functions take it. */
export interface Permit {
  /** Wei of VER that the vault may take. */
  readonly value: bigint;
  /** Time until which it can be used, seconds. */
  readonly deadline: bigint;
  readonly v: number;
  readonly r: string;
  readonly s: string;
}

const TYPES = typesOf("Permit");

/**
 * Signs a permit by which the vault may take `value` wei of VER from the signer, once. It costs nothing; a second one
 * signed before the first is used has the same nonce, so only one of them can be used.
 *
 * @param contracts Connected to a provider.
 * @param validSeconds Chain time for which it can be used. Default one hour.
 */
export async function signPermit(
  contracts: Contracts,
  owner: Signer,
  value: bigint,
  validSeconds = 3600,
): Promise<Permit> {
  const { token, vault } = contracts;
  const provider = token.runner?.provider;
  if (!provider) {
    throw new ChainError("NO_PROVIDER", false, "The contracts are not connected to a provider; connect them to one.");
  }
  try {
    const address = await owner.getAddress();
    const [domain, nonce, spender, block] = await Promise.all([
      // What the token itself says (ERC-5267), so that name, version and chain are never guessed.
      token.eip712Domain(),
      token.nonces(address),
      vault.getAddress(),
      blockReference(provider),
    ]);
    const deadline = BigInt(block.timestamp + validSeconds);
    const { name, version, chainId, verifyingContract } = domain;
    const signature = await owner.signTypedData({ name, version, chainId, verifyingContract }, TYPES, {
      owner: address,
      spender,
      value,
      nonce,
      deadline,
    });
    const { v, r, s } = Signature.from(signature);
    return { value, deadline, v, r, s };
  } catch (error) {
    throw explain(error);
  }
}
