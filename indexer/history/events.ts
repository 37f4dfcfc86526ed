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
  const readers = rest.map((input, i) => ({ name: input.name, read: reader(input), from: 2 + WORD * i }));
  const isPlain = readers.every(({ read }) => read !== undefined);
  const length = 2 + WORD * rest.length;
  return ({ topics, data, block, index }) => {
    if (data.length < length || topics.length <= indexed.length) {
      throw new RangeError(`The log ${String(index)} of block ${String(block)} is cut short.`);
    }
    const args: Record<string, Value> = {};
    for (const { input, read, i } of indexed) if (read) args[input.name] = read(topics[i + 1] ?? "", 2);
    if (isPlain) for (const { name, read, from } of readers) args[name] = read?.(data, from) ?? 0;
    else {
      const values = AbiCoder.defaultAbiCoder().decode(rest, data);
      for (const [i, input] of rest.entries()) args[input.name] = plain(input, values[i]);
    }
    return args;
  };
}

/** Reads a value, or an array of values, of one word each; undefined for other types. */
function reader(input: ParamType): ((hex: string, from: number) => Value) | undefined {
  const { arrayChildren } = input;
  const read = arrayChildren ? oneWord(arrayChildren) : oneWord(input);
  if (!arrayChildren || !read || input.arrayLength !== -1) return read;
  return (hex, from) => {
    const at = 2 + 2 * wordAt(hex, from);
    const count = wordAt(hex, at);
    if (hex.length < at + WORD * (count + 1)) throw new RangeError("A log has a list that is cut short.");
    return Array.from({ length: count }, (_, i) => read(hex, at + WORD * (i + 1)));
  };
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
