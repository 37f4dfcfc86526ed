import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";

import { checkResultErrors, type FunctionFragment, hexlify, Interface, ParamType, type Result } from "ethers";

import { abiOf, CONTRACT_NAMES } from "../abi.ts";
import { answerDecoder } from "./abi-decoder.ts";

/** Random numbers that are the same in each run. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

const TEXTS = ["", "x", "/ip4/10.0.0.1/tcp/4001/p2p/node", "Zürich, 漢字 and 🎓", "a".repeat(97)];

function randomOf(type: ParamType, below: (bound: number) => number): unknown {
  if (type.isArray()) {
    const length = (type.arrayLength ?? -1) >= 0 ? (type.arrayLength ?? 0) : below(4);
    return Array.from({ length }, () => randomOf(type.arrayChildren, below));
  }
  if (type.isTuple()) return type.components.map((component) => randomOf(component, below));
  const bytes = (length: number): string => hexlify(Uint8Array.from({ length }, () => below(256)));
  const [, kind, size = ""] = /^([a-z]+)(\d*)$/.exec(type.type) ?? [];
  if (kind === "uint") return BigInt(bytes(Number(size) / 8)) >> BigInt(below(Number(size)));
  if (kind === "int") return -BigInt(below(100));
  if (kind === "bool") return below(2) === 1;
  if (kind === "address") return bytes(20);
  if (kind === "string") return TEXTS[below(TEXTS.length)];
  return bytes(size === "" ? below(70) : Number(size));
}

/** Values by place and by name, however deep. */
function shown(result: unknown, types: readonly ParamType[]): unknown {
  const values = [...(result as unknown[])];
  const deep = (value: unknown, type: ParamType | undefined): unknown => {
    if (type?.isArray()) {
      const { arrayChildren } = type;
      return shown(
        value,
        Array.from((value as unknown[]).keys(), () => arrayChildren),
      );
    }
    return type?.isTuple() ? shown(value, type.components) : value;
  };
  const named = types.flatMap((type) =>
    type.name === "" ? [] : [[type.name, deep((result as Result).getValue(type.name), type)]],
  );
  return { named, values: values.map((value, i) => deep(value, types[i])) };
}

const views = CONTRACT_NAMES.flatMap((name) => {
  const abi = new Interface(abiOf(name));
  return abi.fragments
    .filter((fragment): fragment is FunctionFragment => fragment.type === "function")
    .map((fragment) => ({ abi, fragment, name: `${name}.${fragment.name}` }));
});

test("every function of every contract: what ethers reads", () => {
  const below = seeded(1);
  let read = 0;
  const known = views.filter(({ fragment }) => !fragment.outputs.some((output) => /\bint\d/.test(output.format())));
  for (const { abi, fragment, name } of known) {
    const decode = answerDecoder(fragment.outputs);
    for (let time = 0; time < 4; time++) {
      const values = fragment.outputs.map((output) => randomOf(output, below));
      const answer = abi.encodeFunctionResult(fragment, values);
      const found = decode(answer);
      if (found) read += 1;
      const its = abi.decodeFunctionResult(fragment, answer);
      deepEqual(found && shown(found, fragment.outputs), shown(its, fragment.outputs), name);
    }
  }
  equal(read, 4 * known.length);
  ok(known.length > 0.98 * views.length);
});

test("an answer that is damaged: what ethers reads, or left to it", () => {
  const below = seeded(2);
  for (const { abi, fragment, name } of views) {
    const decode = answerDecoder(fragment.outputs);
    const values = fragment.outputs.map((output) => randomOf(output, below));
    const answer = abi.encodeFunctionResult(fragment, values);
    for (let time = 0; time < 4; time++) {
      const at = 2 + below(Math.max(1, answer.length - 2));
      const cut = answer.slice(0, at);
      const changed = `${cut}${"0123456789abcdef"[below(16)] ?? ""}${answer.slice(at + 1)}`;
      for (const damaged of [changed, cut, answer.slice(0, 2 + 64 * below(answer.length / 64))]) {
        const found = decode(damaged);
        if (!found) continue;
        const its = abi.decodeFunctionResult(fragment, damaged);
        deepEqual(checkResultErrors(its), [], name);
        deepEqual(shown(found, fragment.outputs), shown(its, fragment.outputs), name);
      }
    }
  }
});

test("an answer whose parts are named again and again is left to ethers, soon", () => {
  // Each level names the next one many times: a kilobyte that would unfold to 2^40 values.
  const type = ParamType.from(`uint256${"[]".repeat(9)}`);
  const word = (value: number): string => value.toString(16).padStart(64, "0");
  const level = word(32) + Array.from({ length: 32 }, () => word(32 * 32)).join("");
  const answer = `0x${word(32)}${level.repeat(8)}`;
  const began = performance.now();
  equal(answerDecoder([type])(answer), undefined);
  ok(performance.now() - began < 1_000);
});

test("numbers beyond their type, addresses with more digits, texts that are none: left to ethers", () => {
  const word = (digits: string): string => digits.padStart(64, "0");
  const decode = (type: string, ...words: string[]) => answerDecoder([ParamType.from(type)])(`0x${words.join("")}`);
  equal(decode("uint8", word("100")), undefined);
  equal(decode("address", word("1".repeat(41))), undefined);
  equal(decode("string", word("20"), word("1"), "ff".padEnd(64, "0")), undefined);
  equal(decode("string", word("20"), word("21"), "41".repeat(32)), undefined);
  equal(decode("uint8", word("FF").toUpperCase()), undefined);
  equal(decode("int8", word("1")), undefined);
  deepEqual(decode("uint8", word("ff"))?.toArray(), [255n]);
});
