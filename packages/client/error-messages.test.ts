import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { AbiCoder, type ErrorFragment, id, Interface, type InterfaceAbi, makeError, type ParamType } from "ethers";

import { ChainError, ContractRefusalError, isRefusal, RpcUnavailableError } from "./errors.ts";
import { explain, revertData } from "./error-messages.ts";
import { codeOf, describeError, ERROR_MESSAGES } from "./describe-error.ts";
import { knownErrors } from "./internal/contract-errors.ts";

const ETHER = 10n ** 18n;

/** Errors of every interface in contracts/interfaces, from what the compiler made of them. */
function interfaceErrors(): ErrorFragment[] {
  const folder = new URL("../../artifacts/contracts/interfaces/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));
  assert.ok(files.length >= 8, "the interfaces are compiled");
  return files.flatMap((file) => {
    const { abi } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as { abi: InterfaceAbi };
    const errors: ErrorFragment[] = [];
    Interface.from(abi).forEachError((error) => errors.push(error));
    return errors;
  });
}

/** A value that can be told apart in a sentence. */
function sample(type: ParamType, place: number): unknown {
  if (type.type === "address") return `0x${String(place + 1).repeat(40)}`;
  if (type.type === "string") return `text${String(place)}`;
  if (type.type.startsWith("bytes")) return `0x${String(place + 1).repeat(2 * Number(type.type.slice(5)))}`;
  // Small enough to be the number of a word of every enumeration.
  return BigInt(place + 1);
}

function revertWith(fragment: ErrorFragment, args: readonly unknown[]): string {
  return fragment.selector + AbiCoder.defaultAbiCoder().encode(fragment.inputs, args).slice(2);
}

function refuse(signature: string, ...args: unknown[]): ContractRefusalError {
  const fragment = knownErrors().get(id(signature).slice(0, 10));
  assert.ok(fragment, `${signature} is known`);
  const explained = explain(
    makeError("execution reverted", "CALL_EXCEPTION", callException(revertWith(fragment, args))),
  );
  assert.ok(explained instanceof ContractRefusalError);
  return explained;
}

function callException(data: string) {
  return {
    action: "call",
    data,
    reason: null,
    transaction: { to: null, data: "" },
    invocation: null,
    revert: null,
  } as const;
}

test("every error of every interface has a sentence", () => {
  const errors = interfaceErrors();
  assert.ok(errors.length > 80);
  const without = errors.map((error) => error.format("sighash")).filter((signature) => !(signature in ERROR_MESSAGES));
  assert.deepEqual(without, []);
});

test("every error of every contract has a sentence that can be said, and no sentence is left over", () => {
  const said = [...knownErrors().values()].map((fragment) => {
    const signature = fragment.format("sighash");
    assert.ok(signature in ERROR_MESSAGES, `${signature} has a sentence`);
    const refusal = refuse(signature, ...fragment.inputs.map(sample));
    assert.equal(refusal.refusal, fragment.name);
    assert.equal(refusal.code, codeOf(fragment.name));
    assert.match(refusal.message, /^[A-Z0-9"].*\.$/s, signature);
    assert.doesNotMatch(refusal.message, /undefined|NaN|\[object/, signature);
    return signature;
  });
  assert.deepEqual(
    Object.keys(ERROR_MESSAGES).filter((signature) => !said.includes(signature)),
    [],
  );
});

test("an ask between two ticks names the asks beside it", () => {
  const refusal = refuse("AskNotOnTick(uint256,uint256)", (105n * ETHER) / 10_000n, ETHER / 1000n);
  assert.equal(
    refusal.message,
    "The ask 0.0105 VER is not a multiple of the class's tick 0.001 VER; use 0.010 or 0.011 VER.",
  );
  assert.equal(refusal.code, "ASK_NOT_ON_TICK");
  assert.equal(refusal.retryable, false);
  assert.deepEqual(refusal.args, { ask: (105n * ETHER) / 10_000n, tickWei: ETHER / 1000n });
});

test("sentences name amounts, times, words and prices of a round as people read them", () => {
  assert.match(refuse("StakeTooLow(uint256,uint256)", 5n * ETHER, 12n * ETHER).message, /stake 7 VER more/);
  assert.match(
    refuse("ERC20InsufficientAllowance(address,uint256,uint256)", `0x${"11".repeat(20)}`, 0n, 3n * ETHER).message,
    /allowed to take 0 VER, but 3 VER are needed; approve/,
  );
  assert.match(
    refuse("ERC20InsufficientBalance(address,uint256,uint256)", `0x${"11".repeat(20)}`, ETHER, 3n * ETHER).message,
    /holds 1 VER, but 3 VER are needed; get 2 VER more/,
  );
  assert.match(refuse("RoundTooSoon(uint256)", 1_800_000_000n).message, /from 2027-01-15 08:00:00 UTC on/);
  assert.match(refuse("WrongLeaseStatus(uint32,uint8)", 7n, 6n).message, /Lease 7 is expired/);
  assert.match(
    refuse("FlowNotCheapest(uint32,uint8,uint256,uint256)", 1n, 2n, 1024n * 20_000n, 1024n * 10_000n + 512n).message,
    /at 0\.02 VER where 0\.0100005 VER would do/,
  );
});

test("an error is described by its name and values alone, however a library decodes short integers", () => {
  const told = describeError("WrongLeaseStatus", [7, 6]);
  assert.match(told.message, /^Lease 7 is expired.*read it again/);
  assert.deepEqual(
    { ...told, message: "" },
    {
      name: "WrongLeaseStatus",
      code: "WRONG_LEASE_STATUS",
      message: "",
      retryable: false,
      args: { leaseId: 7, status: 6 },
    },
  );
  assert.equal(describeError("SeedPending", [1n]).retryable, true);
  assert.equal(describeError("Nobody", [1n, "a"]).message, "The contract refused: Nobody(1, a).");
});

test("what passes by itself is retryable, what does not is not", () => {
  assert.equal(refuse("SeedPending(uint32)", 1n).retryable, true);
  assert.equal(refuse("ListingsFrozen()").retryable, true);
  assert.equal(refuse("StaleFence(uint32,uint24,uint24)", 1n, 1n, 2n).retryable, false);
  assert.equal(isRefusal(refuse("RoundOpen(uint32)", 1n), "RoundOpen", "RoundTooSoon"), true);
  assert.equal(isRefusal(refuse("RoundOpen(uint32)", 1n), "RoundTooSoon"), false);
  assert.equal(isRefusal(new Error("RoundOpen")), false);
});

test("reason texts, panics and unknown errors are also told", () => {
  const coder = AbiCoder.defaultAbiCoder();
  const reason = explain({ data: `0x08c379a0${coder.encode(["string"], ["only on Sundays"]).slice(2)}` });
  assert.equal(reason.message, "The contract refused: only on Sundays.");
  const panic = explain({ data: `0x4e487b71${coder.encode(["uint256"], [0x11]).slice(2)}` });
  assert.match(panic.message, /a number overflowed/);
  assert.equal(panic.code, "PANIC");
  const unknown = explain({ data: "0xdeadbeef" });
  assert.match(unknown.message, /does not know \(0xdeadbeef\)/);
  assert.equal(unknown.code, "UNKNOWN_REVERT");
  const short = explain({ data: id("RoundTooSoon(uint256)").slice(0, 10) });
  assert.equal(short.code, "UNKNOWN_REVERT");
});

test("revert data is found wherever nodes put it, and nowhere else", () => {
  const fragment = knownErrors().get(id("NoRoundOpen()").slice(0, 10));
  assert.ok(fragment);
  const data = fragment.selector;
  assert.equal(revertData({ info: { error: { code: 3, data } } }), data);
  assert.equal(revertData({ error: { code: -32603, data: { message: "reverted", data } } }), data);
  assert.equal(revertData({ cause: { data } }), data);
  assert.equal(revertData({ transaction: { data } }), undefined);
  assert.equal(revertData({ data: "0x" }), undefined);
});

test("what nodes say about a transaction becomes a stable code", () => {
  const told = (message: string) =>
    explain({ code: "UNKNOWN_ERROR", shortMessage: "could not coalesce error", error: { code: -32000, message } }).code;
  assert.equal(told("insufficient funds for gas * price + value: balance 0, tx cost 5"), "ETH_TOO_LOW");
  assert.equal(told("Sender doesn't have enough funds to send tx. The max upfront cost is: 9"), "ETH_TOO_LOW");
  assert.equal(told("nonce too low: next nonce 5, tx nonce 4"), "NONCE_TOO_LOW");
  assert.equal(told("replacement transaction underpriced"), "REPLACEMENT_UNDERPRICED");
  assert.equal(told("already known"), "ALREADY_KNOWN");
  assert.equal(told("max fee per gas less than block base fee: address 0x1"), "FEE_TOO_LOW");
  assert.equal(told("transaction underpriced"), "FEE_TOO_LOW");
  assert.equal(told("exceeds block gas limit"), "GAS_TOO_HIGH");
  assert.equal(told("out of gas"), "OUT_OF_GAS");
  assert.equal(told("something new"), "UNEXPECTED");
  assert.equal(
    explain(makeError("nonce has already been used", "NONCE_EXPIRED", { transaction: {} })).code,
    "NONCE_TOO_LOW",
  );
  assert.equal(explain(makeError("could not decode result data", "BAD_DATA", { value: "0x" })).code, "NO_CONTRACT");
  assert.equal(
    explain(makeError("missing revert data", "CALL_EXCEPTION", callException(""))).code,
    "REVERTED_WITHOUT_REASON",
  );
});

test("a node's own words are told, and a cap of its fee is not taken for one of gas", () => {
  const told = (message: string) =>
    explain({ code: "UNKNOWN_ERROR", shortMessage: "could not coalesce error", error: { code: -32000, message } });
  const capped = told("tx fee (1.63 ether) exceeds the configured cap (1.00 ether)");
  assert.equal(capped.code, "RPC_FEE_CAP");
  assert.match(capped.message, /lower maxFeePerGas.*The node says: "tx fee \(1\.63 ether\) exceeds/);
  assert.doesNotMatch(capped.message, /16,777,216/);
  assert.equal(told("something\nnew").message, "Unexpected error: something new");
  assert.equal(told("max priority fee per gas higher than max fee per gas").code, "FEES_CONTRADICT");
  assert.equal(told("gas required exceeds allowance (0)").code, "ETH_TOO_LOW");
  assert.equal(told("gas required exceeds allowance (50000000)").code, "OUT_OF_GAS");
  assert.equal(told("unknown transaction").code, "UNEXPECTED");
});

test("revert data that cannot be decoded is an unknown error, and never an exception", () => {
  for (const data of ["0x08c379a0", `0x08c379a0${"ff".repeat(64)}`, "0x4e487b71"]) {
    assert.equal(explain({ data }).code, "UNKNOWN_REVERT", data);
  }
});

test("a lost connection is an unavailable endpoint, and errors keep their causes", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
  const explained = explain(refused);
  assert.ok(explained instanceof RpcUnavailableError);
  assert.equal(explained.reason, "connection");
  assert.equal(explained.retryable, true);
  assert.equal(explain(explained), explained);
  const inner = new Error("inner");
  const outer = new ChainError("OUTER", false, "outer", { cause: new Error("middle", { cause: inner }) });
  assert.deepEqual(
    outer.chain().map((error) => (error as Error).message),
    ["outer", "middle", "inner"],
  );
});
