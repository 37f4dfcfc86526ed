import { AbiCoder, concat, type Contract, getAddress, Interface } from "ethers";

import { abiOf, type ContractName } from "@verai/client/abi";
import type { Deployment } from "@verai/client/deployment";
import { SponsorError } from "./errors.ts";
import type { Operation } from "./operation.ts";

/** What people do with the protocol themselves. Nothing else is paid for. */
const PAID: Readonly<Partial<Record<ContractName, readonly string[]>>> = {
  VerToken: ["approve", "transfer"],
  TestnetFaucet: ["drip"],
  Vault: ["claim"],
  TaskRegistry: ["submit", "raisePrice", "cancel", "close", "enqueue", "fundRounds"],
  LeaseRegistry: ["accept", "dispute"],
  NodeRegistry: [
    ...["register", "setTerms", "setProfile", "setOperator", "addStake"],
    ...["drain", "resume", "exit", "withdraw"],
  ],
};

/** What an account does to itself. */
const OWN = ["addKey", "removeKey", "setRecoveryWallet", "cancelRecovery"] as const;

/** Calls in a batch at most. */
const MAX_CALLS = 8;

/** A batch in which a call that fails reverts all (ERC-7821). */
const BATCH = `0x01${"00".repeat(31)}`;

const ACCOUNT = new Interface(abiOf("PasskeyAccount"));
const FACTORY = new Interface(abiOf("PasskeyAccountFactory"));
const TOKEN = new Interface(abiOf("VerToken"));
const CALLS = ["tuple(address target, uint256 value, bytes data)[]"];

/** A call of a batch. */
export interface Call {
  readonly target: string;
  readonly value: bigint;
  readonly data: string;
}

/** What is paid for: calls by target and selector, read from a deployment. */
export interface Rules {
  readonly vault: string;
  readonly token: string;
  readonly factory: string;
  readonly targets: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The rules of a deployment. @throws SponsorError if it has no factory of passkey accounts. */
export function rulesOf({ addresses, file }: Deployment): Rules {
  const { Vault: vault = "", VerToken: token = "", PasskeyAccountFactory: factory } = addresses;
  if (factory === undefined) {
    const message = `The deployment in ${file} names no PasskeyAccountFactory; deploy it with the network, or name another deployment.`;
    throw new SponsorError("NO_FACTORY", "internal", message);
  }
  const targets = Object.entries(PAID).flatMap(([name, functions]) => {
    const at = addresses[name as ContractName];
    if (at === undefined) return [];
    const abi = new Interface(abiOf(name as ContractName));
    return [[at, new Set(functions.map((each) => selectorOf(abi, each)))] as const];
  });
  return { vault, token, factory, targets: new Map(targets) };
}

function selectorOf(abi: Interface, name: string): string {
  const found = abi.getFunction(name);
  if (!found) throw new TypeError(`there is no function ${name}`);
  return found.selector;
}

const OWN_SELECTORS = new Set(OWN.map((name) => selectorOf(ACCOUNT, name)));

function refuse(code: string, message: string): never {
  throw new SponsorError(code, "rejected", message);
}

/** The calls of an operation. Pure. @throws SponsorError if it is no batch of a passkey account, or too long. */
function callsOf(op: Pick<Operation, "callData">): readonly Call[] {
  try {
    const [mode, data] = ACCOUNT.decodeFunctionData("execute", op.callData) as unknown as [string, string];
    if (mode === BATCH) {
      const [calls] = AbiCoder.defaultAbiCoder().decode(CALLS, data).toArray() as [Call[]];
      const read = calls.map((call) => ({
        target: getAddress(call.target),
        value: call.value,
        data: call.data.toLowerCase(),
      }));
      if (read.length > 0 && read.length <= MAX_CALLS) return read;
    }
  } catch {
    // Whatever else it is.
  }
  return refuse("NOT_A_BATCH", `Only batches of 1 to ${String(MAX_CALLS)} calls are paid for (execute, mode 0x01).`);
}

/**
 * Checks that an operation does nothing but what is paid for, inside its batch and in its creation. Pure.
 *
 * @throws SponsorError naming what is not paid for.
 */
export function requirePaid(rules: Rules, op: Operation): readonly Call[] {
  const calls = callsOf(op);
  for (const { target, value, data } of calls) {
    const selector = data.slice(0, 10);
    const known = target === op.sender ? OWN_SELECTORS : rules.targets.get(target);
    if (value !== 0n) refuse("VALUE_NOT_PAID", "Operations that send ETH are not paid for.");
    if (!known?.has(selector)) {
      refuse("CALL_NOT_PAID", `The call of ${selector} at ${target} is not paid for: it is none of DRMP's.`);
    }
    if (target === rules.token && selector === selectorOf(TOKEN, "approve")) requireVault(rules, data);
  }
  if (op.factory) requireCreation(rules, op);
  return calls;
}

function requireVault({ vault }: Rules, data: string): void {
  const [spender] = decoded(() => TOKEN.decodeFunctionData("approve", data));
  if (spender !== vault) refuse("SPENDER_NOT_PAID", `Approvals for another than the vault ${vault} are not paid for.`);
}

function requireCreation({ factory }: Rules, { factory: named, factoryData }: Operation): void {
  if (named !== factory) refuse("FACTORY_NOT_PAID", `Accounts of another factory than ${factory} are not paid for.`);
  const arguments_ = decoded(() => FACTORY.decodeFunctionData("create", factoryData ?? "0x"));
  // Bytes beyond the arguments would make the operation dearer.
  if (FACTORY.encodeFunctionData("create", arguments_) !== (factoryData ?? "").toLowerCase()) {
    refuse("CREATION_UNREADABLE", "The account's creation has more than the public key of its passkey.");
  }
}

function decoded(decode: () => { toArray(): unknown[] }): unknown[] {
  try {
    return decode().toArray();
  } catch {
    return refuse("CALL_UNREADABLE", "The arguments of a call cannot be read.");
  }
}

/** The public key that an operation creates its account for; undefined if it creates none. Pure. */
export function creationKey({ factory, factoryData }: Operation): readonly [string, string] | undefined {
  if (!factory) return undefined;
  const [x, y] = decoded(() => FACTORY.decodeFunctionData("create", factoryData ?? "0x"));
  return [String(x), String(y)];
}

/** The code of every passkey account: a clone (ERC-1167) of the factory's implementation. Pure. */
export function cloneCode(implementation: string): string {
  return concat(["0x363d3d373d3d3d363d73", implementation, "0x5af43d82803e903d91602b57fd5bf3"]);
}

/** The factory's implementation. */
export async function implementationOf(factory: Pick<Contract, "getFunction">): Promise<string> {
  return String(await factory.getFunction("IMPLEMENTATION").staticCall());
}
