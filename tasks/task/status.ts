import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import { readTaskCause } from "@verai/client/causes";
import type { Lease } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { endText } from "@verai/client/lease-ends";
import { parseEmbodied } from "@verai/protocol/energy/embodied";
import type { HourlyTable } from "@verai/protocol/energy/hourly";
import { RESULT_RETENTION } from "@verai/protocol/checkpoints/result-retention";
import { causeText } from "@verai/protocol/allocation/explain/cause";
import { formatVer, microToWei } from "@verai/protocol/money/ver";
import { type Context, read } from "../session/context.ts";
import { formatDuration } from "../session/duration.ts";
import type { ReadingArguments } from "../session/options.ts";
import { readEnds } from "../session/lease-ends.ts";
import { hourlyIn } from "./hourly-carbon.ts";
import { readReceipt, showReceipt } from "./receipt.ts";
import { parseTask } from "./parse.ts";

/** Shows one task, or all of them. */
export default async function status(
  args: ReadingArguments & { readonly task: number; readonly embodied: string; readonly hourly: string },
  environment: Environment,
): Promise<void> {
  const carbon = { embodied: embodiedIn(args.embodied), hourly: hourlyIn(args.hourly) };
  await read(args, environment, async (context) => {
    const block = await context.session.reader.block();
    return args.task > 0 ? one(context, block, args.task, carbon) : all(context, block);
  });
}

async function all({ session, output }: Context, block: BlockReference): Promise<object> {
  const tasks = await session.reader.tasks(block);
  const rows = tasks.map(
    ({ id, status: state, units, openUnits, leasedUnits, paidUnits, refundedUnits, owner, parked }) => ({
      id,
      status: state === "open" && parked ? "parked" : state,
      units,
      open: openUnits,
      leased: leasedUnits,
      paid: paidUnits,
      refunded: refundedUnits,
      owner,
    }),
  );
  output.table(
    ["task", "status", "units", "open", "leased", "paid", "refunded", "owner"],
    rows.map((row) => Object.values(row)),
  );
  return { tasks: rows };
}

function embodiedIn(text: string): Readonly<Record<string, number>> {
  try {
    return parseEmbodied(text);
  } catch (error) {
    throw new CommandError("OPTION_INVALID", `--embodied: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function one(
  context: Context,
  block: BlockReference,
  taskId: number,
  carbon: { readonly embodied: Readonly<Record<string, number>>; readonly hourly: HourlyTable | undefined },
): Promise<object> {
  const { session, output } = context;
  const { reader } = session;
  const task = await parseTask(reader, block, taskId);
  const [known, leases] = await Promise.all([reader.classes(block), reader.leases(block)]);
  const own = leases.filter((lease) => lease.taskId === taskId);
  const cause = await readTaskCause(reader, block, taskId);
  const waiting = cause && causeText(cause);
  const nameOf = (id: number) => known.find((found) => found.id === id)?.name ?? String(id);
  output.facts([
    ["task", task.id],
    ["status", task.status],
    ["waiting", waiting],
    [
      "place",
      task.parked
        ? "parked: out of the queue until a round can serve it"
        : task.inRound
          ? "in the open round"
          : task.queued
            ? "in the queue"
            : undefined,
    ],
    [
      "units",
      `${String(task.openUnits)} open, ${String(task.leasedUnits)} leased, ${String(task.paidUnits)} paid, ${String(task.refundedUnits)} refunded, of ${String(task.units)}`,
    ],
    ["maximum price", `${formatVer(task.maxPrice)} VER a unit`],
    ["escrow", `${formatVer(task.escrow)} VER, of them ${formatVer(task.roundDeposit)} VER for places in rounds`],
    [
      "classes",
      task.classes
        .map(({ classId, surcharge }) => `${nameOf(classId)}${surcharge > 0n ? ` (+${formatVer(surcharge)})` : ""}`)
        .join(", "),
    ],
    ["checkpoints", `every ${formatDuration(task.checkpointInterval)}`],
    [
      "audits",
      task.auditChance === 0
        ? "none"
        : `each segment with ${String(task.auditChance / 100)} % at least, for a fee of ${String(task.feeBps / 100)} %`,
    ],
    ["longest time of a unit", formatDuration(task.maxUnitTime)],
    ["deadline", `${new Date(task.deadline * 1000).toISOString()}`],
    ["owner", task.owner],
  ]);
  const ends = await readEnds(session, block, { taskId }, task.submittedAt);
  if (own.length > 0) {
    output.say();
    output.table(
      ["lease", "status", "node", "units", "price, VER", "fence", "parent", "ended"],
      own.map(({ id, status: state, nodeId, start, count, price, fence, parent }) => [
        id,
        state,
        nodeId,
        `${String(start)}–${String(start + count - 1)}`,
        formatVer(microToWei(price)),
        fence,
        parent === 0 ? undefined : parent,
        ends.has(id) ? endText(ends.get(id)?.reason ?? "none") : undefined,
      ]),
    );
  }
  const receipt =
    task.paidUnits === 0 ? undefined : await readReceipt(session, block, task, carbon.embodied, carbon.hourly);
  if (receipt) {
    output.say();
    showReceipt(output, receipt);
  }
  const held = heldUntil(own, block.timestamp);
  if (held !== undefined) {
    const until = new Date(held * 1000).toISOString();
    output.say();
    output.say(
      `Results are held by the nodes that made them and by others until ${until}, paid ones only while stores have room: fetch them by then.`,
    );
  }
  const disputes = own.flatMap((lease) => disputeOf(lease, block.timestamp) ?? []);
  if (disputes.length > 0) {
    output.say();
    for (const { words } of disputes) output.say(words);
  }
  return {
    ...task,
    waiting: waiting ?? null,
    cause: cause ?? null,
    leases: own.map((lease) => ({ ...lease, endReason: ends.get(lease.id)?.reason ?? null })),
    disputes,
    ...(held !== undefined && { resultsHeldUntil: held }),
    ...(receipt && { receipt }),
  };
}

/**
 * Until when all results that are held now stay at other nodes, chain time in seconds; undefined if none is held. Those that are not paid
 * yet stay longer. Pure.
 */
export function heldUntil(leases: readonly Pick<Lease, "status" | "result">[], now: number): number | undefined {
  const ends = leases.flatMap(({ status, result }) =>
    result && ["delivered", "disputed", "paid"].includes(status) ? [result.deliveredAt + RESULT_RETENTION] : [],
  );
  const left = ends.filter((end) => end > now);
  return left.length === 0 ? undefined : Math.min(...left);
}

/** What can be done about a lease's result now, or what an arbiter has to decide; undefined if nothing. Pure. */
function disputeOf(
  { id, taskId, status: state, due, result }: Lease,
  now: number,
): { readonly lease: number; readonly until: number; readonly words: string } | undefined {
  const until = new Date(due * 1000).toISOString();
  const about = { lease: id, until: due };
  if (state === "disputed") {
    const bond = `the bond is ${formatVer(microToWei(result?.bond ?? 0))} VER`;
    if (now > due)
      return {
        ...about,
        words: `lease ${String(id)} is disputed, and the arbiter's time ended at ${until}: anyone may accept it now, and the node gets the bond; ${bond}`,
      };
    return {
      ...about,
      words: `lease ${String(id)} is disputed: the arbiter rules until ${until}, else the node is paid and gets the bond; ${bond}`,
    };
  }
  if (state !== "delivered" || now > due) return undefined;
  return {
    ...about,
    words: `lease ${String(id)} is delivered: accept it with \`npx hardhat task:result --task ${String(taskId)} --accept\`, or refuse it until ${until} with \`npx hardhat task:dispute --lease ${String(id)}\``,
  };
}
