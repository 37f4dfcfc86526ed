import { AbiCoder, type ErrorFragment, Interface, ParamType, type Result } from "ethers";

import { describeError } from "../describe-error.ts";
import { ContractRefusalError } from "../errors.ts";
import { ERRORS_ABI } from "../generated/abis.ts";

/** Selectors of `Error(string)` and `Panic(uint256)`, which every contract may revert with. */
const REASON = "0x08c379a0";
const PANIC = "0x4e487b71";

const PANICS: Readonly<Record<number, string>> = {
  0x01: "an assertion failed",
  0x11: "a number overflowed or went below zero",
  0x12: "a division by zero",
  0x21: "a number stands for no word of its enumeration",
  0x31: "an empty array was shortened",
  0x32: "a place outside an array was asked for",
  0x41: "too much memory was asked for",
};

let errors: Map<string, ErrorFragment> | undefined;

/** Every custom error of the contracts, by selector. Built once. */
export function knownErrors(): Map<string, ErrorFragment> {
  if (errors) return errors;
  errors = new Map();
  Interface.from(ERRORS_ABI).forEachError((fragment) => errors?.set(fragment.selector, fragment));
  return errors;
}

/**
 * What a revert says.
 *
 * @param data What the contract reverted with: selector and encoded arguments.
 * @param cause The error that carried it.
 */
export function explainRevert(data: string, cause: unknown): ContractRefusalError {
  const selector = data.slice(0, 10);
  const encoded = `0x${data.slice(10)}`;
  const known = selector === REASON ? "string" : selector === PANIC ? "uint256" : undefined;
  // What cannot be decoded is told as an unknown error: a contract may revert with any bytes.
  const value: unknown = known === undefined ? undefined : decode([ParamType.from(known)], encoded)?.[0];
  if (typeof value === "string") {
    const reason = value;
    return refusal("REVERTED", false, `The contract refused: ${reason}.`, "Error", { reason }, cause);
  }
  if (typeof value === "bigint") {
    const code = Number(value);
    const what = PANICS[code] ?? `panic code 0x${code.toString(16)}`;
    const message = `The contract stopped because ${what}; this is a defect, please report it with the call's arguments.`;
    return refusal("PANIC", false, message, "Panic", { panic: code }, cause);
  }
  const fragment = knownErrors().get(selector);
  const decoded = fragment && decode(fragment.inputs, encoded);
  if (!decoded) {
    const message = `The contract refused with an error that this version does not know (${selector}); check that software and deployment belong together.`;
    return refusal("UNKNOWN_REVERT", false, message, selector, { data }, cause);
  }
  const { code, message, retryable, args } = describeError(fragment.format("sighash"), decoded.toArray());
  return refusal(code, retryable, message, fragment.name, args, cause);
}

/** Undefined if the bytes are not this error's: an error of the same selector, of a contract that is not ours. */
function decode(types: readonly ParamType[], encoded: string): Result | undefined {
  try {
    const decoded = AbiCoder.defaultAbiCoder().decode(types, encoded);
    // Texts are decoded when they are read.
    return decoded.toArray() && decoded;
  } catch {
    return undefined;
  }
}

function refusal(
  code: string,
  retryable: boolean,
  message: string,
  name: string,
  args: Readonly<Record<string, unknown>>,
  cause: unknown,
): ContractRefusalError {
  return new ContractRefusalError(code, retryable, message, { name, args }, { cause });
}
