import { Contract, type Provider, Transaction } from "ethers";

/** The OP stack's gas price oracle, a predeploy of every such chain (specs.optimism.io, predeploys). */
export const GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000F";

/**
 * Wei that the L1 will charge for a transaction's data; undefined where the chain has no such fee.
 *
 * An estimate: the signature, which is not there yet, is reckoned as the oracle itself reckons it.
 */
export async function estimateL1Fee(
  provider: Provider,
  transaction: {
    readonly to: string;
    readonly data: string;
    readonly value: bigint;
    readonly gasLimit: bigint;
    readonly maxFeePerGas: bigint;
    readonly maxPriorityFeePerGas: bigint;
    readonly chainId: number;
    readonly nonce: number;
  },
): Promise<bigint | undefined> {
  if ((await provider.getCode(GAS_PRICE_ORACLE)) === "0x") return undefined;
  const { unsignedSerialized } = Transaction.from({ ...transaction, type: 2 });
  const oracle = new Contract(GAS_PRICE_ORACLE, ["function getL1Fee(bytes data) view returns (uint256)"], provider);
  // A chain that simulates the predeploys without their L1 values reverts here; the fee is then unknown, and not 0.
  return (oracle.getFunction("getL1Fee")(unsignedSerialized) as Promise<bigint>).catch(() => undefined);
}
