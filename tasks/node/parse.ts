import { isAddress } from "ethers";

import type { Node, NodeClass } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";
import { ENERGY_SOURCES, type EnergySource } from "@verai/client/enums";
import { parseVer } from "@verai/protocol/money/ver";
import { CommandError } from "../errors.ts";

/** The node that `--node` names. @throws Error naming the id and what there is. */
export async function parseNode(reader: Reader, at: BlockReference, nodeId: number): Promise<Node> {
  if (nodeId <= 0)
    throw new CommandError(
      "OPTION_MISSING",
      "Name the node: --node <id>. `npx hardhat node:status` lists all of them.",
    );
  const node = await reader.node(at, nodeId);
  if (!node)
    throw new CommandError(
      "NOT_FOUND",
      `There is no node ${String(nodeId)}; \`npx hardhat node:status\` lists all of them.`,
    );
  return node;
}

/** The class of this name. @throws Error naming those that there are. */
export function parseClass(classes: readonly NodeClass[], name: string): NodeClass {
  const found = classes.find((one) => one.name === name);
  if (found) return found;
  throw new CommandError(
    "NOT_FOUND",
    `There is no class "${name}"; use one of: ${classes.map((one) => one.name).join(", ")}.`,
  );
}

/** An amount that must be given. @param option Its name, for the message. */
export function parseAmount(option: string, text: string): bigint {
  if (text === "") throw new CommandError("OPTION_MISSING", `Name an amount of VER: --${option} 12.5`);
  return parseVer(text);
}

/** An energy source by its word. */
export function parseSource(text: string): EnergySource {
  const found = ENERGY_SOURCES.find((source) => source === text);
  if (found) return found;
  throw new CommandError(
    "OPTION_INVALID",
    `There is no source of electricity called "${text}"; use one of: ${ENERGY_SOURCES.join(", ")}.`,
  );
}

/** An address. @param option Its name, for the message. */
export function parseAddress(option: string, text: string): string {
  // Kept apart: the library's type guard would take the text away from the message.
  const valid: boolean = isAddress(text);
  if (valid) return text;
  throw new CommandError(
    "OPTION_INVALID",
    `--${option} has to be an address, 0x and 40 hexadecimal digits; it is "${text}".`,
  );
}
