import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { concat, type JsonRpcApiProvider, parseEther, toQuantity } from "ethers";

/** The entry point of ERC-4337, version 0.8: its address on every chain, by the salt that it was deployed with. */
const ENTRY_POINT = "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108";
const SALT = "0x0a59dbff790c23c976a548690c27297883cc66b4c67024f9117b0238995e35e9";

/** The deployer of contracts at the same address on every chain, which public chains have. */
const DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C";
const DEPLOYER_CODE =
  "0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3";

/** `deposit()` of the paymaster. */
const DEPOSIT = "0xd0e30db0";

/**
 * Puts the entry point of the published artifact where wallets look for it on every chain. On a simulated chain; does nothing
 * if it has it.
 */
export async function deployEntryPoint(provider: Pick<JsonRpcApiProvider, "send">): Promise<void> {
  if ((await provider.send("eth_getCode", [ENTRY_POINT, "latest"])) !== "0x") return;
  const file = createRequire(import.meta.url).resolve("@account-abstraction/contracts/artifacts/EntryPoint.json");
  const { bytecode } = JSON.parse(readFileSync(file, "utf8")) as { bytecode: string };
  const [from] = (await provider.send("eth_accounts", [])) as string[];
  await provider.send("hardhat_setCode", [DEPLOYER, DEPLOYER_CODE]);
  await provider.send("eth_sendTransaction", [
    { from, to: DEPLOYER, data: concat([SALT, bytecode]), gas: toQuantity(8_000_000) },
  ]);
  if ((await provider.send("eth_getCode", [ENTRY_POINT, "latest"])) === "0x")
    throw new Error(`The entry point is not at ${ENTRY_POINT}: the chain has to mine each transaction at once here.`);
}

/** Gives a paymaster ETH to pay for operations with, from an account of a simulated chain. */
export async function fundPaymaster(
  provider: Pick<JsonRpcApiProvider, "send">,
  paymaster: string,
  ether: string,
): Promise<void> {
  const [from] = (await provider.send("eth_accounts", [])) as string[];
  await provider.send("eth_sendTransaction", [
    { from, to: paymaster, data: DEPOSIT, value: toQuantity(parseEther(ether)), gas: toQuantity(200_000) },
  ]);
}
