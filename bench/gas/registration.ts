import { type ContractTransaction, toBeHex, Wallet } from "ethers";

import { signConsent } from "@verai/client/consent";
import type { openMarket } from "@verai/devnet/market";

type Market = Awaited<ReturnType<typeof openMarket>>;

export const MILLI = 10n ** 15n;
/** Of a node of one unit, wei. */
const STAKE = 100n * 10n ** 18n;
/** Class of the nodes by the thousand. */
export const SUPPLY_CLASS = 0;
/** They ask so many different prices. */
const PRICES = 1_000;
/** Registrations to a block, which has room for what they use: some 430,000 gas, and 550,000 at a price nobody had before. */
const BULK = 100;
const BULK_GAS = 1_000_000n;
/** Named, because to find them out Hardhat asks for the pending block, and so runs all that waits once more for each. */
const FEES = { maxFeePerGas: toBeHex(100n * 10n ** 9n), maxPriorityFeePerGas: toBeHex(10n ** 6n) };

/** Every other node has another owner: no owner's node takes over, or vouches for, what another of its nodes runs. */
function ownerOf({ governance, others }: Market["accounts"], at: number): string {
  return at % 2 === 1 ? governance.address : (others[1]?.address ?? "");
}

/** The transaction by which a node of one unit is registered, `at` being its place among them, from its owner. */
export async function registration(
  { contracts, accounts }: Market,
  at: number,
  operatorKey: string,
): Promise<ContractTransaction> {
  const ask = BigInt((at * 7919) % PRICES) * MILLI;
  const endpoint = `/ip4/10.0.0.1/tcp/4001/p2p/node-${at}`;
  const profile = { energySource: 0, powerThreshold: 100, powerMax: 1_000, endpoint };
  const terms = { classId: SUPPLY_CLASS, capacity: 1, ask };
  const consent = await signConsent(contracts, new Wallet(operatorKey), ownerOf(accounts, at));
  return contracts.nodes.register.populateTransaction({ ...consent }, terms, profile, STAKE);
}

/**
 * Registers nodes of one unit each, many to a block: what the chain's reads cost grows with its blocks. The treasury owns
 * every other one. Their prices are spread, their order is not.
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
  operatorKeyOf: (at: number) => string,
  say: (registered: number) => void = () => undefined,
): Promise<void> {
  const { accounts, connection, contracts } = market;
  const rpc = (method: string, ...params: unknown[]) => connection.provider.request({ method, params });
  await fundOwner(market, BigInt(to - from + 1) * STAKE);
  const before = Number(await contracts.nodes.nodeCount());
  const nonces = new Map<string, number>();
  for (const at of [0, 1]) {
    const owner = ownerOf(accounts, at);
    nonces.set(owner, Number(await rpc("eth_getTransactionCount", owner, "latest")));
  }
  await rpc("evm_setAutomine", false);
  for (let at = from; at <= to; at++) {
    const { to: registry, data } = await registration(market, at, operatorKeyOf(at));
    const owner = ownerOf(accounts, at);
    const nonce = nonces.get(owner) ?? 0;
    nonces.set(owner, nonce + 1);
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

/** Gives the other owner what it stakes, and lets the vault take it. */
async function fundOwner({ accounts, contracts }: Market, amount: bigint): Promise<void> {
  const [, other] = accounts.others;
  if (!other) throw new Error("the simulated chain has too few accounts");
  await contracts.token.connect(accounts.governance).transfer(other, amount);
  await contracts.token.connect(other).approve(contracts.vault, 2n ** 255n);
}
