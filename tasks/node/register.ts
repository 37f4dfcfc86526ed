import { PRICE_UNIT } from "@verai/protocol/money/units";
import type { Environment } from "../session/environment.ts";

import { registerNode } from "@verai/agent/registration";
import { ENERGY_SOURCES, numberOf } from "@verai/client/enums";
import { formatVer, parseVer } from "@verai/protocol/money/ver";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseAddress, parseAmount, parseClass, parseSource } from "./parse.ts";

interface Arguments extends WritingArguments {
  readonly operator: string;
  readonly class: string;
  readonly capacity: number;
  readonly ask: string;
  readonly stake: string;
  readonly endpoint: string;
  readonly powerThreshold: number;
  readonly powerMax: number;
  readonly energySource: string;
}

/** Registers a node. */
export default async function register(args: Arguments, environment: Environment): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader } = session;
    const block = await reader.block();
    const operator = parseAddress("operator", args.operator);
    const found = parseClass(await reader.classes(block), args.class);
    const ask = parseAmount("ask", args.ask);
    const energySource = numberOf(ENERGY_SOURCES, parseSource(args.energySource));
    if (args.capacity <= 0) throw new Error("Name the units that the machine runs at once: --capacity 4");
    const { stakePerUnit } = await reader.parameters(block);
    const needed = BigInt(args.capacity) * BigInt(stakePerUnit) * PRICE_UNIT;
    const stake = args.stake === "" ? needed : parseVer(args.stake);

    const account = await context.account();
    context.spends = stake;
    const { capacity, powerThreshold, powerMax, endpoint } = args;
    const log = { info: (_fields: unknown, message?: string) => output.say(message) };
    const nodeId = await registerNode(session, account, log, {
      label: `register a node of ${String(capacity)} units at ${formatVer(ask)} VER each, staking ${formatVer(stake)} VER`,
      operator,
      terms: { classId: found.id, capacity, ask },
      profile: { energySource, powerThreshold, powerMax, endpoint },
      stake,
    });
    output.say(`Node ${String(nodeId)} is registered. Start its agent with the operator's key.`);
    return { node: nodeId, owner: account.signer.address, operator, stake };
  });
}
