import { Interface, type ParamType } from "ethers";

import { abiOf, type ContractName } from "@verai/client/abi";
import { FOLLOWED } from "../history/events.ts";

/** Arguments of an event by name. */
export type Given = Readonly<Record<string, unknown>>;

/** A log before it has its place in a block. */
export interface RawLog {
  readonly block: number;
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** Address that stands for a contract. */
function addressOf(contract: ContractName): string {
  return `0x${String(FOLLOWED.indexOf(contract) + 1).padStart(40, "c0")}`;
}

/** Addresses of all contracts that are followed. */
export const ADDRESSES = FOLLOWED.map(addressOf);

/** Writes values of a type, as hexadecimal digits. */
interface Writer {
  /** Whether its place in the head holds an offset. */
  readonly isDynamic: boolean;
  /** Digits that it takes in the head. */
  readonly digits: number;
  readonly write: (value: unknown) => string;
}

interface Encoder {
  readonly address: string;
  readonly topic: string;
  readonly indexed: readonly string[];
  readonly rest: readonly string[];
  readonly data: Writer;
}

/** Digits of a word. */
const WORD = 64;

function word(value: unknown): string {
  if (typeof value === "string") return value.slice(2).padStart(WORD, "0");
  if (typeof value === "boolean") return (value ? "1" : "0").padStart(WORD, "0");
  if (typeof value === "number" || typeof value === "bigint") return value.toString(16).padStart(WORD, "0");
  throw new TypeError(`${String(value)} is no word`);
}

function bytes(digits: string): string {
  return word(digits.length / 2) + digits.padEnd(Math.ceil(digits.length / WORD) * WORD, "0");
}

/** Values one after another: what is of no fixed size follows all of the others. */
function sequence(writers: readonly Writer[], values: readonly unknown[]): string {
  let at = writers.reduce((sum, { digits }) => sum + digits, 0);
  let [head, tail] = ["", ""];
  for (const [i, { isDynamic, write }] of writers.entries()) {
    const written = write(values[i]);
    if (!isDynamic) head += written;
    else {
      head += word(at / 2);
      tail += written;
      at += written.length;
    }
  }
  return head + tail;
}

function tuple(types: readonly ParamType[]): Writer {
  const writers = types.map(writerOf);
  const isDynamic = writers.some((each) => each.isDynamic);
  return {
    isDynamic,
    digits: isDynamic ? WORD : writers.reduce((sum, { digits }) => sum + digits, 0),
    write: (value) =>
      sequence(
        writers,
        Array.isArray(value) ? value : types.map(({ name }) => (value as Record<string, unknown>)[name]),
      ),
  };
}

/** The writer of a type; building one for ethers' each time would take most of a benchmark's time. */
function writerOf({ type, arrayChildren, components }: ParamType): Writer {
  if (arrayChildren) {
    const each = writerOf(arrayChildren);
    const write = (value: unknown) => {
      const items = value as readonly unknown[];
      return (
        word(items.length) +
        sequence(
          items.map(() => each),
          items,
        )
      );
    };
    return { isDynamic: true, digits: WORD, write };
  }
  if (components) return tuple(components);
  if (type === "bytes") return { isDynamic: true, digits: WORD, write: (value) => bytes(String(value).slice(2)) };
  if (type === "string") {
    return { isDynamic: true, digits: WORD, write: (value) => bytes(Buffer.from(String(value)).toString("hex")) };
  }
  return { isDynamic: false, digits: WORD, write: word };
}

const ENCODERS = new Map<string, Encoder>();
for (const contract of FOLLOWED) {
  new Interface(abiOf(contract)).forEachEvent((event) => {
    const rest = event.inputs.filter(({ indexed }) => indexed !== true);
    ENCODERS.set(event.name, {
      address: addressOf(contract),
      topic: event.topicHash,
      indexed: event.inputs.filter(({ indexed }) => indexed === true).map(({ name }) => name),
      rest: rest.map(({ name }) => name),
      data: tuple(rest),
    });
  });
}

/** Encodes an event as its contract would. @throws RangeError for an event or an argument that there is not. */
export function encode(block: number, name: string, args: Given): RawLog {
  const known = ENCODERS.get(name);
  if (!known) throw new RangeError(`There is no event ${name}.`);
  const { address, topic, indexed, rest, data } = known;
  const of = (argument: string): unknown => {
    if (!(argument in args)) throw new RangeError(`${name} needs the argument ${argument}.`);
    return args[argument];
  };
  const topics = [topic, ...indexed.map((argument) => `0x${word(of(argument))}`)];
  return { block, address, topics, data: `0x${data.write(rest.map(of))}` };
}
