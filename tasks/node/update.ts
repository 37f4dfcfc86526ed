import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import { ENERGY_SOURCES, numberOf } from "@verai/client/enums";
import { microToWei, parseVer } from "@verai/protocol/money/ver";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseClass, parseNode, parseSource } from "./parse.ts";

interface Arguments extends WritingArguments {
  readonly node: number;
  readonly class: string;
  readonly capacity: number;
  readonly ask: string;
  readonly endpoint: string;
  readonly powerThreshold: number;
  readonly powerMax: number;
  readonly energySource: string;
}

/** Changes what a node offers or says of itself; what is not named stays as it is. */
export default async function update(args: Arguments, environment: Environment): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader, contracts } = session;
    const block = await reader.block();
    const node = await parseNode(reader, block, args.node);
    const classes = await reader.classes(block);
    const now = classes.find(({ id }) => id === node.classId);
    const changesTerms = args.class !== "" || args.capacity > 0 || args.ask !== "";
    const changesProfile =
      args.endpoint !== "" || args.powerThreshold > 0 || args.powerMax > 0 || args.energySource !== "";
    if (!changesTerms && !changesProfile)
      throw new CommandError("OPTION_MISSING", "Name what to change: --ask, --capacity, --class, --endpoint…");
    const energySource = args.energySource === "" ? node.energySource : parseSource(args.energySource);
    const terms = {
      classId: args.class === "" ? node.classId : parseClass(classes, args.class).id,
      capacity: args.capacity > 0 ? args.capacity : node.capacity,
      ask: args.ask === "" ? microToWei(node.askTick * (now?.tickSize ?? 0)) : parseVer(args.ask),
    };
    const { queue } = await context.account();
    if (changesTerms) {
      await queue.submit({
        label: `set the terms of node ${String(node.id)}`,
        prepare: () => contracts.nodes.setTerms.populateTransaction(node.id, terms),
      });
    }
    if (changesProfile) {
      const profile = {
        energySource: numberOf(ENERGY_SOURCES, energySource),
        powerThreshold: args.powerThreshold > 0 ? args.powerThreshold : node.powerThreshold,
        powerMax: args.powerMax > 0 ? args.powerMax : node.powerMax,
        endpoint: args.endpoint === "" ? node.endpoint : args.endpoint,
      };
      await queue.submit({
        label: `set the profile of node ${String(node.id)}`,
        prepare: () => contracts.nodes.setProfile.populateTransaction(node.id, profile),
      });
    }
    const frozen = await contracts.supply.frozen();
    if (changesTerms && frozen) output.say("A round is open: the new terms count once it is over.");
    return { node: node.id, terms, afterRound: changesTerms && frozen };
  });
}
