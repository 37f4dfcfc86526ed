import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import { read } from "../session/context.ts";
import type { ReadingArguments } from "../session/options.ts";
import { collectEnergy } from "./collect.ts";
import { printEnergy } from "./print.ts";

interface Arguments extends ReadingArguments {
  readonly node: number;
  readonly task: number;
}

/** Prints the energy and carbon of the network, of a node, or of a task. */
export default async function report(args: Arguments, environment: Environment): Promise<void> {
  await read(args, environment, async ({ session, output }) => {
    if (args.node > 0 && args.task > 0) {
      throw new CommandError(
        "OPTION_INVALID",
        "Ask for a node or for a task, not for both: leave --node or --task out.",
      );
    }
    const { reader } = session;
    const scope = args.task > 0 ? "task" : args.node > 0 ? "node" : "network";
    const collected = await collectEnergy(reader, await reader.block(), scope, args.task || args.node);
    output.say(printEnergy(collected));
    return collected;
  });
}
