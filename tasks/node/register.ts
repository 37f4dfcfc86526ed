import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { ensureBalance } from "../../chain/balance.ts";
import { signPermit } from "../../chain/permit.ts";
import { ENERGY_SOURCES, numberOf } from "../../chain/words.ts";
import { formatVer, parseVer } from "../../protocol/money/ver.ts";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { givenAddress, givenAmount, givenClass, givenSource } from "./given.ts";

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
export default async function register(args: Arguments, hre: HardhatRuntimeEnvironment): Promise<void> {
  await write(args, hre, async (context) => {
    const { session, screen } = context;
    const { reader, contracts } = session;
    const pin = await reader.pin();
    const operator = givenAddress("operator", args.operator);
    const found = givenClass(await reader.classes(pin), args.class);
    const ask = givenAmount("ask", args.ask);
    const energySource = numberOf(ENERGY_SOURCES, givenSource(args.energySource));
    if (args.capacity <= 0) throw new Error("Name the units that the machine runs at once: --capacity 4");
    const { stakePerUnit } = await reader.parameters(pin);
    const needed = BigInt(args.capacity) * BigInt(stakePerUnit) * 10n ** 12n;
    const stake = args.stake === "" ? needed : parseVer(args.stake);

    const { signer, lane } = await context.account();
    await ensureBalance(session, { signer, lane }, stake, { info: (_fields, message) => screen.say(message) });
    context.spends = stake;
    const permit = await signPermit(contracts, signer, stake);
    const { powerThreshold, powerMax, endpoint } = args;
    await lane.submit({
      label: `register a node of ${String(args.capacity)} units at ${formatVer(ask)} VER each, staking ${formatVer(stake)} VER`,
      prepare: () =>
        contracts.nodes.registerWithPermit.populateTransaction(
          operator,
          { classId: found.id, capacity: args.capacity, ask },
          { energySource, powerThreshold, powerMax, endpoint },
          stake,
          permit.deadline,
          permit.v,
          permit.r,
          permit.s,
        ),
    });
    const nodeId = await reader.nodeOfOperator(await reader.pin(), operator);
    screen.say(`Node ${String(nodeId)} is registered. Start its agent with the operator's key.`);
    return { node: nodeId, owner: signer.address, operator, stake };
  });
}
