import { AbiCoder, type EventFragment, Interface, type ParamType } from "ethers";

import { abiOf, type ContractName } from "@verai/client/abi";
import type { EventLog } from "@verai/client/event-logs";

/** An argument: numbers up to 48 bits as such, larger ones as bigints, addresses and bytes as lower-case hex. */
export type Value = number | bigint | string | boolean | readonly Value[] | Arguments;

/** Arguments by name; those of a struct are nested. */
export interface Arguments {
  readonly [name: string]: Value;
}

/** An event of the contracts. */
export interface ChainEvent {
  readonly name: string;
  readonly block: number;
  readonly logIndex: number;
  /** Chain time, seconds. */
  readonly time: number;
  readonly transaction: string;
  readonly args: Arguments;
}

/** Contracts whose events are followed. */
export const FOLLOWED: readonly ContractName[] = [
  "TaskRegistry",
  "LeaseRegistry",
  "CheckpointRegistry",
  "NodeRegistry",
  "Supply",
  "RoundManager",
  "Reassignment",
  "VrfSeeds",
  "Telemetry",
  "EnergyLedger",
  "Balancer",
  "ReleaseFees",
  "Audits",
  "Vault",
  "Parameters",
];

type Decoder = (log: EventLog) => Arguments;

/**
 * Decodes logs by the contracts' ABIs. Arguments of one word are read in place, which is an order of magnitude faster than
 * building a result by name; whatever is a struct is left to ethers.
 */
export class EventDecoder {
  readonly #decoders = new Map<string, { readonly name: string; readonly decode: Decoder }>();

  /** @param names Events that are decoded; others are not asked for. */
  constructor(names: ReadonlySet<string>) {
    for (const contract of FOLLOWED) {
      const abi = new Interface(abiOf(contract));
      abi.forEachEvent((event) => {
        if (names.has(event.name)) {
          this.#decoders.set(event.topicHash, { name: event.name, decode: decoderOf(event) });
        }
      });
    }
    for (const name of names) {
      const isKnown = [...this.#decoders.values()].some((each) => each.name === name);
      if (!isKnown) throw new RangeError(`No followed contract has an event ${name}.`);
    }
  }

  /** Topics of the events. */
  get topics(): string[] {
    return [...this.#decoders.keys()];
  }

  /** @throws RangeError if the log is none of the events, or is cut short. */
  decode(log: EventLog, time: number): ChainEvent {
    const known = this.#decoders.get(log.topics[0] ?? "");
    if (!known) throw new RangeError(`The log ${String(log.index)} of block ${String(log.block)} was not asked for.`);
    const { block, index: logIndex, transaction } = log;
    return { name: known.name, block, logIndex, time, transaction, args: known.decode(log) };
  }
}

/** Hex digits of a word. */
const WORD = 64;

function decoderOf(event: EventFragment): Decoder {
  const indexed = event.inputs.filter((input) => input.indexed).map((input, i) => ({ input, read: oneWord(input), i }));
  const rest = event.inputs.filter((input) => !input.indexed);
  const all = inPlace(rest);
  const length = 2 + (all?.digits ?? WORD * rest.length);
  return ({ topics, data, block, index }) => {
    if (data.length < length || topics.length <= indexed.length) {
      throw new RangeError(`The log ${String(index)} of block ${String(block)} is cut short.`);
    }
    const args: Record<string, Value> = {};
    for (const { input, read, i } of indexed) if (read) args[input.name] = read(topics[i + 1] ?? "", 2);
    if (all) all.into(args, data, 2, 2);
    else {
      const values = AbiCoder.defaultAbiCoder().decode(rest, data);
      for (const [i, input] of rest.entries()) args[input.name] = plain(input, values[i]);
    }
    return args;
  };
}

/** Reads a value at a place; what is of no fixed size is at an offset from `base`. */
interface Reader {
  /** Digits that it takes in place. */
  readonly digits: number;
  readonly read: (hex: string, from: number, base: number) => Value;
}

/** Reads values one after another; undefined if one of them is of a type that is left to ethers. */
function inPlace(inputs: readonly ParamType[]) {
  const parts: (Reader & { readonly name: string; readonly at: number })[] = [];
  let at = 0;
  for (const input of inputs) {
    const reader = readerOf(input);
    if (!reader) return undefined;
    parts.push({ ...reader, name: input.name, at });
    at += reader.digits;
  }
  const into = (args: Record<string, Value>, hex: string, from: number, base: number) => {
    for (const { name, read, at: place } of parts) args[name] = read(hex, from + place, base);
    return args;
  };
  return { digits: at, into };
}

/** Reads a word, an array of words, bytes, or a struct of a fixed size; undefined for other types. */
function readerOf(input: ParamType): Reader | undefined {
  const { arrayChildren, components, type } = input;
  if (arrayChildren) {
    const read = oneWord(arrayChildren);
    if (!read || input.arrayLength !== -1) return undefined;
    const list = (hex: string, from: number, base: number) => {
      const at = offsetAt(hex, from, base);
      const count = wordAt(hex, at);
      requireDigits(hex, at + WORD * (count + 1));
      return Array.from({ length: count }, (_, i) => read(hex, at + WORD * (i + 1)));
    };
    return { digits: WORD, read: list };
  }
  if (type === "bytes") {
    const bytes = (hex: string, from: number, base: number) => {
      const at = offsetAt(hex, from, base);
      const end = at + WORD + 2 * wordAt(hex, at);
      requireDigits(hex, end);
      return `0x${hex.slice(at + WORD, end).toLowerCase()}`;
    };
    return { digits: WORD, read: bytes };
  }
  if (components) {
    const isFixed = components.every((each) => each.components !== null || oneWord(each) !== undefined);
    const all = isFixed ? inPlace(components) : undefined;
    return all && { digits: all.digits, read: (hex, from, base) => all.into({}, hex, from, base) };
  }
  const read = oneWord(input);
  return read && { digits: WORD, read };
}

function offsetAt(hex: string, from: number, base: number): number {
  const at = base + 2 * wordAt(hex, from);
  requireDigits(hex, at + WORD);
  return at;
}

function requireDigits(hex: string, end: number): void {
  if (hex.length < end) throw new RangeError("A log has a list that is cut short.");
}

function wordAt(hex: string, from: number): number {
  return parseInt(hex.slice(from + WORD - 12, from + WORD), 16);
}

/** Reads a value of one word; undefined for types that may take more. */
function oneWord({ type }: ParamType): ((hex: string, from: number) => Value) | undefined {
  if (type === "address") return (hex, from) => `0x${hex.slice(from + 24, from + WORD).toLowerCase()}`;
  if (type === "bool") return (hex, from) => hex.charCodeAt(from + WORD - 1) !== 48;
  if (type === "bytes32") return (hex, from) => `0x${hex.slice(from, from + WORD).toLowerCase()}`;
  const bits = /^uint(\d+)$/.exec(type)?.[1];
  if (bits === undefined) return undefined;
  if (Number(bits) <= 48) return wordAt;
  return (hex, from) => BigInt(`0x${hex.slice(from, from + WORD)}`);
}

function plain(type: ParamType, value: unknown): Value {
  if (type.arrayChildren) {
    const child = type.arrayChildren;
    return [...(value as Iterable<unknown>)].map((each) => plain(child, each));
  }
  if (type.components) {
    const values = value as readonly unknown[];
    return Object.fromEntries(type.components.map((each, i) => [each.name, plain(each, values[i])]));
  }
  if (typeof value === "bigint") {
    const bits = Number(/\d+$/.exec(type.type)?.[0] ?? 256);
    return bits <= 48 ? Number(value) : value;
  }
  if (type.type === "string") return String(value);
  return typeof value === "string" ? value.toLowerCase() : Boolean(value);
}
