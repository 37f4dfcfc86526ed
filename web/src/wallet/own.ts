import { useQuery } from "@tanstack/react-query";
import type { Address, Hex, PublicClient } from "viem";

import { ENUMS } from "@verai/client/generated/enums";
import { lensAbi } from "@verai/client/typed-abi/Lens";
import { leaseRegistryAbi } from "@verai/client/typed-abi/LeaseRegistry";
import { nodeRegistryAbi } from "@verai/client/typed-abi/NodeRegistry";
import { parametersAbi } from "@verai/client/typed-abi/Parameters";
import { supplyAbi } from "@verai/client/typed-abi/Supply";
import { taskRegistryAbi } from "@verai/client/typed-abi/TaskRegistry";
import { testnetFaucetAbi } from "@verai/client/typed-abi/TestnetFaucet";
import { vaultAbi } from "@verai/client/typed-abi/Vault";
import { verTokenAbi } from "@verai/client/typed-abi/VerToken";
import { microToWei } from "@verai/protocol/money/ver";
import { useChainClient } from "../chain/client.ts";
import { addressOf, type Config, useConfig } from "../config.ts";

/** Newest tasks, leases and nodes that are looked through for an account's own. */
const NEWEST = 200;
const AGAIN_MS = 4_000;

/** What an account owns, read from the chain: money actions trust no indexer. */
export async function ownOf(config: Config, client: PublicClient, account: Address) {
  const at = <N extends Parameters<typeof addressOf>[1]>(name: N) => addressOf(config, name);
  const tasks = { address: at("TaskRegistry"), abi: taskRegistryAbi } as const;
  const leases = { address: at("LeaseRegistry"), abi: leaseRegistryAbi } as const;
  const lens = { address: at("Lens"), abi: lensAbi } as const;
  const nodes = { address: at("NodeRegistry"), abi: nodeRegistryAbi } as const;
  const [eth, ver, claimable, taskCount, leaseCount, nodeCount] = await Promise.all([
    client.getBalance({ address: account }),
    client.readContract({ address: at("VerToken"), abi: verTokenAbi, functionName: "balanceOf", args: [account] }),
    client.readContract({ address: at("Vault"), abi: vaultAbi, functionName: "claimable", args: [account] }),
    client.readContract({ ...tasks, functionName: "taskCount" }),
    client.readContract({ ...leases, functionName: "leaseCount" }),
    client.readContract({ ...nodes, functionName: "nodeCount" }),
  ]);
  const newest = (count: number) => [Math.max(1, count - NEWEST + 1), Math.min(NEWEST, count)] as const;
  const [taskPage, leasePage, nodePage] = await Promise.all([
    taskCount === 0 ? [] : client.readContract({ ...lens, functionName: "taskPage", args: newest(taskCount) }),
    leaseCount === 0 ? [] : client.readContract({ ...lens, functionName: "leasePage", args: newest(leaseCount) }),
    nodeCount === 0 ? [] : client.readContract({ ...nodes, functionName: "nodePage", args: newest(nodeCount) }),
  ]);
  const is = (address: string) => address.toLowerCase() === account.toLowerCase();
  const own = taskPage.filter(({ owner }) => is(owner)).reverse();
  const ids = new Set(own.map(({ id }) => id));
  return {
    ...{ eth, ver, claimable },
    tasks: own,
    leases: leasePage.filter(({ lease }) => ids.has(lease.taskId)).reverse(),
    nodes: nodePage.filter(({ owner }) => is(owner)).reverse(),
    all: { tasks: taskCount, leases: leaseCount, nodes: nodeCount },
  };
}

/** What an account owns, again every few seconds. */
export function useOwn(account: Address | undefined) {
  const config = useConfig();
  const client = useChainClient();
  return useQuery({
    queryKey: ["chain", "own", account],
    enabled: account !== undefined,
    refetchInterval: AGAIN_MS,
    queryFn: () => ownOf(config, client, account ?? "0x"),
  });
}

/** The classes by their ids. */
export function useClasses() {
  const config = useConfig();
  const client = useChainClient();
  return useQuery({
    queryKey: ["chain", "classes"],
    staleTime: Infinity,
    queryFn: async () => {
      const found = await client.readContract({
        address: addressOf(config, "Supply"),
        abi: supplyAbi,
        functionName: "classes",
      });
      return found.map(({ name, tickSize }, id) => ({ id, name: textOf(name), tickSize }));
    },
  });
}

/** What a task locks at this price, wei: escrow and submission fee. */
export async function depositOf(
  config: Config,
  client: PublicClient,
  units: number,
  maxPrice: bigint,
  auditChance: number,
): Promise<bigint> {
  const [escrow, fee] = await client.readContract({
    address: addressOf(config, "TaskRegistry"),
    abi: taskRegistryAbi,
    functionName: "depositFor",
    args: [BigInt(units), maxPrice, BigInt(auditChance)],
  });
  return escrow + fee;
}

/** VER that an account holds, and may take from the faucet now; 0 where there is none. */
export async function verOf(
  config: Config,
  client: PublicClient,
  account: Address,
): Promise<{ held: bigint; drip: bigint }> {
  const held = await client.readContract({
    address: addressOf(config, "VerToken"),
    abi: verTokenAbi,
    functionName: "balanceOf",
    args: [account],
  });
  if (config.deployment["TestnetFaucet"] === undefined) return { held, drip: 0n };
  const faucet = { address: addressOf(config, "TestnetFaucet"), abi: testnetFaucetAbi } as const;
  const [drip, next, { timestamp }] = await Promise.all([
    client.readContract({ ...faucet, functionName: "DRIP" }),
    client.readContract({ ...faucet, functionName: "nextDrip", args: [account] }),
    client.getBlock(),
  ]);
  return { held, drip: next > timestamp ? 0n : drip };
}

/** VER that the vault may take from an account already, wei. */
export async function allowanceOf(config: Config, client: PublicClient, account: Address): Promise<bigint> {
  return client.readContract({
    address: addressOf(config, "VerToken"),
    abi: verTokenAbi,
    functionName: "allowance",
    args: [account, addressOf(config, "Vault")],
  });
}

/** What disputing a lease's result takes, wei: a share of its price, rounded up as the contract does. */
export async function bondOf(
  config: Config,
  client: PublicClient,
  { priceMicroVer, count }: { readonly priceMicroVer: number; readonly count: number },
): Promise<bigint> {
  const share = await client.readContract({
    address: addressOf(config, "Parameters"),
    abi: parametersAbi,
    functionName: "get",
    args: [ENUMS.Param.indexOf("disputeBondBps")],
  });
  return microToWei((BigInt(priceMicroVer) * BigInt(count) * BigInt(share) + 9_999n) / 10_000n);
}

/** A name of at most 32 bytes as text. */
export function textOf(bytes: Hex): string {
  const digits = bytes.slice(2).replace(/(00)+$/, "");
  return new TextDecoder().decode(Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
}
