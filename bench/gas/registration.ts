import { type ContractTransaction, toBeHex } from "ethers";

import type { openMarket } from "@verai/devnet/market";

type Market = Awaited<ReturnType<typeof openMarket>>;

export const MILLI = 10n ** 15n;
/** Class of the nodes by the thousand. */
export const SUPPLY_CLASS = 0;
/** They ask so many different prices. */
const PRICES = 1_000;
/** Registrations to a block, which has room for what they use: some 430,000 gas, and 550,000 at a price nobody had before. */
const BULK = 100;
const BULK_GAS = 1_000_000n;
/** Named, because to find them out Hardhat asks for the pending block, and so runs all that waits once more for each. */
const FEES = { maxFeePerGas: toBeHex(100n * 10n ** 9n), maxPriorityFeePerGas: toBeHex(10n ** 6n) };

/** The transaction by which a node of one unit is registered, `at` being its place among them. */
export function registration({ contracts }: Market, at: number, operator: string): Promise<ContractTransaction> {
  const ask = BigInt((at * 7919) % PRICES) * MILLI;
  const endpoint = `/ip4/10.0.0.1/tcp/4001/p2p/node-${at}`;
  const profile = { energySource: 0, powerThreshold: 100, powerMax: 1_000, endpoint };
  const terms = { classId: SUPPLY_CLASS, capacity: 1, ask };
  return contracts.nodes.register.populateTransaction(operator, terms, profile, 100n * 10n ** 18n);
}

/**
 * Registers nodes of one unit each, many to a block: what the chain's reads cost grows with its blocks. The treasury owns
 * them. Their prices are spread, their order is not.
 *
 * @param from Place of the first of them.
 * @param to Place of the last.
 * @param say Told now and then how many there are.
 * @throws Error if not all of them are registered then.
 */
export async function registerNodes(
  market: Market,
  from: number,
  to: number,
  operatorOf: (at: number) => string,
  say: (registered: number) => void = () => undefined,
): Promise<void> {
  const { accounts, connection, contracts } = market;
  const rpc = (method: string, ...params: unknown[]) => connection.provider.request({ method, params });
  const owner = accounts.governance.address;
  const before = Number(await contracts.nodes.nodeCount());
  let nonce = Number(await rpc("eth_getTransactionCount", owner, "latest"));
  await rpc("evm_setAutomine", false);
  for (let at = from; at <= to; at++, nonce++) {
    const { to: registry, data } = await registration(market, at, operatorOf(at));
    const numbers = { nonce: toBeHex(nonce), gas: toBeHex(BULK_GAS), ...FEES };
    await rpc("eth_sendTransaction", { from: owner, to: registry, data, ...numbers });
    if ((at - from + 1) % BULK !== 0 && at !== to) continue;
    await rpc("evm_mine");
    if (at % (10 * BULK) === 0) say(at);
  }
  await rpc("evm_setAutomine", true);
  const registered = Number(await contracts.nodes.nodeCount()) - before;
  if (registered !== to - from + 1) throw new Error(`${registered} of ${to - from + 1} nodes were registered`);
}
