import type { Signer } from "ethers";

import type { Contracts } from "./deployment.ts";
import { ChainError } from "./errors.ts";
import { explain } from "./error-messages.ts";
import { blockReference } from "./block-reference.ts";
import { typesOf } from "./signing.ts";

/** An operator key's agreement to work for an owner's node, as `NodeRegistry.register` and `setOperator` take it. */
export interface OperatorConsent {
  readonly operator: string;
  /** Time until which the owner may name the operator, seconds. */
  readonly deadline: bigint;
  /** `0x` and hexadecimal digits; empty where the owner names itself. */
  readonly signature: string;
}

const TYPES = typesOf("OperatorConsent");

/**
 * Signs that an operator key works for an owner's node. It costs nothing and is good for that owner alone.
 *
 * @param contracts Connected to a provider.
 * @param operator The agent's key.
 * @param validSeconds Chain time for which it can be used. Default one day.
 */
export async function signConsent(
  contracts: Pick<Contracts, "nodes">,
  operator: Pick<Signer, "getAddress" | "signTypedData">,
  owner: string,
  validSeconds = 86_400,
): Promise<OperatorConsent> {
  const { nodes } = contracts;
  const provider = nodes.runner?.provider;
  if (!provider) {
    throw new ChainError("NO_PROVIDER", false, "The contracts are not connected to a provider; connect them to one.");
  }
  const address = await operator.getAddress();
  if (address.toLowerCase() === owner.toLowerCase()) return { operator: address, deadline: 0n, signature: "0x" };
  try {
    const [domain, block] = await Promise.all([nodes.eip712Domain(), blockReference(provider)]);
    const deadline = BigInt(block.timestamp + validSeconds);
    const { name, version, chainId, verifyingContract } = domain;
    const message = { owner, operator: address, deadline };
    const signature = await operator.signTypedData({ name, version, chainId, verifyingContract }, TYPES, message);
    return { operator: address, deadline, signature };
  } catch (error) {
    throw explain(error);
  }
}

/** A consent in one word, for command lines: `deadline:signature`. */
export function formatConsent({ deadline, signature }: OperatorConsent): string {
  return `${String(deadline)}:${signature}`;
}

/**
 * A consent from a command line.
 *
 * @param operator Address of the agent's key.
 * @throws Error saying how to make one.
 */
export function parseConsent(operator: string, text: string): OperatorConsent {
  const [, deadline, signature] = /^(\d{1,15}):(0x(?:[0-9a-fA-F]{2})*)$/.exec(text) ?? [];
  if (deadline === undefined || signature === undefined) {
    throw new Error(
      `"${text}" is no consent of an operator; make one with the operator's key: node:consent --owner <address of the owner>`,
    );
  }
  return { operator, deadline: BigInt(deadline), signature };
}
