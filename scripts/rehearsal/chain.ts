import { setTimeout as delay } from "node:timers/promises";

import { JsonRpcProvider, toBeHex, zeroPadValue } from "ethers";

import { L1_BLOCK, type L1Prices, l1Slots } from "@verai/client/l1-fee";
import { startAnvil } from "@verai/devnet/anvil";
import { HARDHAT, untilListening } from "@verai/devnet/chain";
import type { Processes } from "@verai/devnet/processes";

/** BASE Sepolia's chain id and block time (docs.base.org). */
export const CHAIN_ID = 84532;
const BLOCK_SECONDS = 2;

/** L1 fees of a calm day: 2 gwei a gas, 1 wei a blob gas, with the scalars that BASE has set since Ecotone. */
const L1: L1Prices = { baseFee: 2_000_000_000n, blobBaseFee: 1n, baseFeeScalar: 2269n, blobBaseFeeScalar: 1_055_762n };

/** A simulated chain with BASE Sepolia's id, block time and transaction gas cap. */
export interface RehearsalChain {
  readonly url: string;
  readonly provider: JsonRpcProvider;
  /** Prefix of the methods that change the chain by hand. */
  readonly prefix: "hardhat" | "anvil";
  /** Whether an L1 data fee is charged. */
  readonly l1Fee: boolean;
}

/** Starts the chain as process "chain". */
export async function startChain(processes: Processes, node: "hardhat" | "anvil"): Promise<RehearsalChain> {
  const asBase = ["--network", "optimism", "--enable-tx-gas-limit", "--block-time", String(BLOCK_SECONDS)];
  const url = node === "hardhat" ? await startHardhat(processes) : await startAnvil(processes, CHAIN_ID, asBase);
  const provider = new JsonRpcProvider(url, CHAIN_ID, { staticNetwork: true, cacheTimeout: -1 });
  const chain = { url, provider, prefix: node, l1Fee: node === "hardhat" } as const;
  if (chain.l1Fee) {
    await setL1Fee(provider);
    await provider.send("evm_setAutomine", [false]);
    await provider.send("evm_setIntervalMining", [BLOCK_SECONDS * 1000]);
  }
  return chain;
}

async function startHardhat(processes: Processes): Promise<string> {
  const where = ["--hostname", "127.0.0.1", "--port", "0", "--chain-id", String(CHAIN_ID)];
  const { log } = processes.start("chain", [HARDHAT, "node", ...where]);
  return processes.watch(["chain"], untilListening(log, CHAIN_ID));
}

/** Mines a block every 50 ms while something is waited for that wants many confirmations. */
export async function whileMining<T>({ provider }: RehearsalChain, work: Promise<T>): Promise<T> {
  let done = false;
  const end = work.finally(() => {
    done = true;
  });
  // The failure of the work is what counts, and it is awaited below.
  end.catch(() => undefined);
  while (!done) {
    await provider.send("evm_mine", []);
    await delay(50);
  }
  return end;
}

/** Gives an account ETH, as a bridge from L1 would. */
export async function giveEth({ provider, prefix }: RehearsalChain, address: string, wei: bigint): Promise<void> {
  await provider.send(`${prefix}_setBalance`, [address, toBeHex(wei)]);
}

/** Lets the chain's clock run ahead. */
export async function passTime({ provider }: RehearsalChain, seconds: number): Promise<void> {
  await provider.send("evm_increaseTime", [seconds]);
  await provider.send("evm_mine", []);
}

/** BASE's L1 data fee is charged from now on, exactly: the simulator reads it from the predeploy's slots. */
async function setL1Fee(provider: JsonRpcProvider): Promise<void> {
  for (const [slot, value] of l1Slots(L1)) {
    await provider.send("hardhat_setStorageAt", [L1_BLOCK, toBeHex(slot), zeroPadValue(toBeHex(value), 32)]);
  }
}
