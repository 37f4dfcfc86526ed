import { type Address, encodeFunctionData, type Hex } from "viem";

import { leaseRegistryAbi } from "@verai/client/typed-abi/LeaseRegistry";
import { nodeRegistryAbi } from "@verai/client/typed-abi/NodeRegistry";
import { taskRegistryAbi } from "@verai/client/typed-abi/TaskRegistry";
import { testnetFaucetAbi } from "@verai/client/typed-abi/TestnetFaucet";
import { vaultAbi } from "@verai/client/typed-abi/Vault";
import { verTokenAbi } from "@verai/client/typed-abi/VerToken";
import { addressOf, type Config } from "../config.ts";
import type { SignedPermit } from "./typed.ts";

/** A call of one of the network's contracts, as an account carries it out. */
export interface Call {
  readonly to: Address;
  readonly data: Hex;
  /** What it does, for people. */
  readonly what: string;
  /** VER that it lets the vault take, wei: an approval, in whose place a permit can be signed. */
  readonly approves?: bigint;
  /** How the call is with a signed permit of this amount in place of an approval in front of it. */
  readonly permit?: { readonly amount: bigint; readonly data: (permit: SignedPermit) => Hex };
}

/** What a task asks for. */
export interface TaskWish {
  readonly specDigest: Hex;
  readonly specCodec: number;
  readonly units: number;
  /** Wei for a unit. */
  readonly maxPrice: bigint;
  readonly checkpointInterval: number;
  readonly maxUnitTime: number;
  readonly replicas: number;
  /** Chance of audits, basis points; 0: none. */
  readonly auditChance: number;
  /** Chain time, seconds. */
  readonly deadline: number;
  readonly classIds: readonly number[];
}

/** What a node offers, and the agreement of its agent's key. */
export interface NodeWish {
  readonly consent: { readonly operator: Address; readonly deadline: bigint; readonly signature: Hex };
  readonly terms: { readonly classId: number; readonly capacity: number; readonly ask: bigint };
  readonly profile: {
    readonly energySource: number;
    readonly powerThreshold: number;
    readonly powerMax: number;
    readonly endpoint: string;
  };
  readonly stake: bigint;
}

/** Every call that the application makes. Pure. */
export function callsOf(config: Config) {
  const task = (what: string, data: Hex): Call => ({ to: addressOf(config, "TaskRegistry"), data, what });
  const lease = (what: string, data: Hex): Call => ({ to: addressOf(config, "LeaseRegistry"), data, what });
  const node = (what: string, data: Hex): Call => ({ to: addressOf(config, "NodeRegistry"), data, what });
  return {
    drip: (): Call => ({
      to: addressOf(config, "TestnetFaucet"),
      data: encodeFunctionData({ abi: testnetFaucetAbi, functionName: "drip" }),
      what: "take test VER from the faucet",
    }),
    approve: (amount: bigint): Call => ({
      to: addressOf(config, "VerToken"),
      data: encodeFunctionData({
        abi: verTokenAbi,
        functionName: "approve",
        args: [addressOf(config, "Vault"), amount],
      }),
      what: "allow the vault to take this VER",
      approves: amount,
    }),
    claim: (receiver: Address): Call => ({
      to: addressOf(config, "Vault"),
      data: encodeFunctionData({ abi: vaultAbi, functionName: "claim", args: [receiver] }),
      what: "claim what the vault owes you",
    }),
    /** @param amount VER that it takes, for a permit. */
    submit: (wish: TaskWish, amount: bigint): Call => {
      const submission = { ...wish, surcharges: [] };
      const permitted = (permit: SignedPermit) =>
        encodeFunctionData({ abi: taskRegistryAbi, functionName: "submitWithPermit", args: [submission, permit] });
      const data = encodeFunctionData({ abi: taskRegistryAbi, functionName: "submit", args: [submission] });
      return { ...task("submit the task", data), permit: { amount, data: permitted } };
    },
    cancel: (id: number): Call =>
      task("cancel the task", encodeFunctionData({ abi: taskRegistryAbi, functionName: "cancel", args: [id] })),
    raisePrice: (id: number, price: bigint, amount: bigint): Call => {
      const permitted = (permit: SignedPermit) =>
        encodeFunctionData({ abi: taskRegistryAbi, functionName: "raisePriceWithPermit", args: [id, price, permit] });
      const data = encodeFunctionData({ abi: taskRegistryAbi, functionName: "raisePrice", args: [id, price] });
      return { ...task("raise the task's price", data), permit: { amount, data: permitted } };
    },
    accept: (id: number): Call =>
      lease("accept the result", encodeFunctionData({ abi: leaseRegistryAbi, functionName: "accept", args: [[id]] })),
    dispute: (id: number): Call =>
      lease("dispute the result", encodeFunctionData({ abi: leaseRegistryAbi, functionName: "dispute", args: [id] })),
    register: ({ consent, terms, profile, stake }: NodeWish): Call => {
      const permitted = (permit: SignedPermit) =>
        encodeFunctionData({
          abi: nodeRegistryAbi,
          functionName: "registerWithPermit",
          args: [consent, terms, profile, stake, permit],
        });
      const data = encodeFunctionData({
        abi: nodeRegistryAbi,
        functionName: "register",
        args: [consent, terms, profile, stake],
      });
      return { ...node("register the node", data), permit: { amount: stake, data: permitted } };
    },
    setTerms: (id: number, terms: NodeWish["terms"]): Call =>
      node(
        "change the node's terms",
        encodeFunctionData({ abi: nodeRegistryAbi, functionName: "setTerms", args: [id, terms] }),
      ),
    addStake: (id: number, amount: bigint): Call => {
      const permitted = (permit: SignedPermit) =>
        encodeFunctionData({ abi: nodeRegistryAbi, functionName: "addStakeWithPermit", args: [id, amount, permit] });
      const data = encodeFunctionData({ abi: nodeRegistryAbi, functionName: "addStake", args: [id, amount] });
      return { ...node("add stake", data), permit: { amount, data: permitted } };
    },
    ofNode: (what: "drain" | "resume" | "exit" | "withdraw", id: number): Call =>
      node(`${what} the node`, encodeFunctionData({ abi: nodeRegistryAbi, functionName: what, args: [id] })),
  };
}
