import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import { answer } from "@verai/client/readers";
import { ROUND_STATUSES, enumName } from "@verai/client/enums";
import { read } from "../session/context.ts";
import type { ReadingArguments } from "../session/options.ts";

/** Shows a round. */
export default async function status(
  args: ReadingArguments & { readonly round: number },
  environment: Environment,
): Promise<void> {
  await read(args, environment, async ({ session, output }) => {
    const { reader, contracts } = session;
    const block = await reader.block();
    const newest = await reader.round(block);
    if (newest.id === 0) {
      output.say("There was no round yet.");
      return { round: null };
    }
    const id = args.round > 0 ? args.round : newest.id;
    if (id > newest.id)
      throw new CommandError("NOT_FOUND", `There is no round ${String(id)} yet; the newest is ${String(newest.id)}.`);
    const view = await answer(contracts.rounds.round(id, { blockTag: block.number }));
    const time = (at: bigint) => (at === 0n ? undefined : new Date(Number(at) * 1000).toISOString());
    const state = enumName(ROUND_STATUSES, view.status);
    const demands = view.demands.map(({ taskId, units }) => ({ task: Number(taskId), units: Number(units) }));
    output.facts([
      ["round", id],
      ["status", state],
      ["opened", time(view.openedAt)],
      ["closed", time(view.closedAt)],
      ["opener", view.opener],
      ["seed", BigInt(view.seed) === 0n ? "not there yet" : view.seed],
      ["leases", state === "settled" ? Number(view.leases) : undefined],
      ["left open", state === "settled" ? `${String(view.unitsOpen)} units` : undefined],
    ]);
    output.say();
    output.table(
      ["task", "units brought in"],
      demands.map(({ task, units }) => [task, units]),
    );
    return {
      round: id,
      status: state,
      openedAt: Number(view.openedAt),
      closedAt: Number(view.closedAt),
      opener: view.opener,
      requestId: view.requestId,
      seed: view.seed,
      demands,
      leases: Number(view.leases),
      unitsOpen: Number(view.unitsOpen),
    };
  });
}
