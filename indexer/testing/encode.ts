import { type EventFragment, Interface, type ParamType } from "ethers";

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

interface Encoder {
  readonly address: string;
  readonly topic: string;
  readonly indexed: readonly string[];
  /** Arguments in the data, in order; undefined where ethers has to encode them. */
  readonly plain: readonly string[] | undefined;
  readonly abi: Interface;
  readonly event: EventFragment;
}

const ENCODERS = new Map<string, Encoder>();
for (const contract of FOLLOWED) {
  const abi = new Interface(abiOf(contract));
  abi.forEachEvent((event) => {
    const rest = event.inputs.filter(({ indexed }) => indexed !== true);
    ENCODERS.set(event.name, {
      address: addressOf(contract),
      topic: event.topicHash,
      indexed: event.inputs.filter(({ indexed }) => indexed === true).map(({ name }) => name),
      plain: rest.every(isWord) ? rest.map(({ name }) => name) : undefined,
      abi,
      event,
    });
  });
}

function isWord({ type }: ParamType): boolean {
  return /^(uint\d+|address|bytes32|bool)$/.test(type);
}

function word(value: unknown): string {
  if (typeof value === "string") return value.slice(2).padStart(64, "0");
  if (typeof value === "boolean") return (value ? "1" : "0").padStart(64, "0");
  if (typeof value === "number" || typeof value === "bigint") return value.toString(16).padStart(64, "0");
  throw new TypeError(`${String(value)} is no word`);
}

/** Encodes an event as its contract would. @throws RangeError for an event or an argument that there is not. */
export function encode(block: number, name: string, args: Given): RawLog {
  const known = ENCODERS.get(name);
  if (!known) throw new RangeError(`There is no event ${name}.`);
  const { address, topic, indexed, plain, abi, event } = known;
  const of = (argument: string): unknown => {
    if (!(argument in args)) throw new RangeError(`${name} needs the argument ${argument}.`);
    return args[argument];
  };
  if (plain) {
    const topics = [topic, ...indexed.map((argument) => `0x${word(of(argument))}`)];
    return { block, address, topics, data: `0x${plain.map((argument) => word(of(argument))).join("")}` };
  }
  const { topics, data } = abi.encodeEventLog(
    event,
    event.inputs.map((input) => of(input.name)),
  );
  return { block, address, topics, data };
}
