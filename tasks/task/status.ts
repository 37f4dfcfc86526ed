import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import type { Pin } from "../../chain/pin.ts";
import { answer } from "../../chain/readers.ts";
import { supplySnapshot } from "../../chain/snapshot.ts";
import { whyWaiting } from "../../developer/waiting.ts";
import { formatVer, microToWei, weiToMicro } from "../../protocol/money/ver.ts";
import { type Context, read } from "../session/context.ts";
import { formatDuration } from "../session/duration.ts";
import type { ReadingArguments } from "../session/options.ts";
import { givenTask } from "./given.ts";

/** Shows one task, or all of them. */
export default async function status(
  args: ReadingArguments & { readonly task: number },
  hre: HardhatRuntimeEnvironment,
): Promise<void> {
  await read(args, hre, async (context) => {
    const pin = await context.session.reader.pin();
    return args.task > 0 ? one(context, pin, args.task) : all(context, pin);
  });
}

async function all({ session, screen }: Context, pin: Pin): Promise<object> {
  const tasks = await session.reader.tasks(pin);
  const rows = tasks.map(({ id, status: state, units, openUnits, leasedUnits, paidUnits, refundedUnits, owner }) => ({
    id,
    status: state,
    units,
    open: openUnits,
    leased: leasedUnits,
    paid: paidUnits,
    refunded: refundedUnits,
    owner,
  }));
  screen.table(
    ["task", "status", "units", "open", "leased", "paid", "refunded", "owner"],
    rows.map((row) => Object.values(row)),
  );
  return { tasks: rows };
}

async function one(context: Context, pin: Pin, taskId: number): Promise<object> {
  const { session, screen } = context;
  const { reader } = session;
  const task = await givenTask(reader, pin, taskId);
  const [known, leases] = await Promise.all([reader.classes(pin), reader.leases(pin)]);
  const own = leases.filter((lease) => lease.taskId === taskId);
  const waiting = await waitingReason(context, pin, taskId);
  const nameOf = (id: number) => known.find((found) => found.id === id)?.name ?? String(id);
  screen.facts([
    ["task", task.id],
    ["status", task.status],
    ["waiting", waiting],
    [
      "units",
      `${String(task.openUnits)} open, ${String(task.leasedUnits)} leased, ${String(task.paidUnits)} paid, ${String(task.refundedUnits)} refunded, of ${String(task.units)}`,
    ],
    ["maximum price", `${formatVer(task.maxPrice)} VER a unit`],
    ["escrow", `${formatVer(task.escrow)} VER`],
    [
      "classes",
      task.classes
        .map(({ classId, surcharge }) => `${nameOf(classId)}${surcharge > 0n ? ` (+${formatVer(surcharge)})` : ""}`)
        .join(", "),
    ],
    ["checkpoints", `every ${formatDuration(task.checkpointInterval)}`],
    ["deadline", `${new Date(task.deadline * 1000).toISOString()}`],
    ["owner", task.owner],
  ]);
  if (own.length > 0) {
    screen.say();
    screen.table(
      ["lease", "status", "node", "units", "price, VER", "fence", "parent"],
      own.map(({ id, status: state, nodeId, start, count, price, fence, parent }) => [
        id,
        state,
        nodeId,
        `${String(start)}–${String(start + count - 1)}`,
        formatVer(microToWei(price)),
        fence,
        parent === 0 ? undefined : parent,
      ]),
    );
  }
  return { ...task, waiting: waiting ?? null, leases: own };
}

/** Why the task has open units; undefined if it has none. */
async function waitingReason({ session }: Context, pin: Pin, taskId: number): Promise<string | undefined> {
  const { reader, contracts } = session;
  const task = await givenTask(reader, pin, taskId);
  if (task.openUnits === 0) return undefined;
  const [parameters, queue, round, paused, supply] = await Promise.all([
    reader.parameters(pin),
    reader.queue(pin),
    reader.round(pin),
    answer(contracts.parameters.intakePaused({ blockTag: pin.number })),
    supplySnapshot(
      reader,
      pin,
      task.classes.map(({ classId }) => classId),
    ),
  ]);
  const place = queue.indexOf(taskId);
  return whyWaiting({
    status: task.status,
    openUnits: task.openUnits,
    leasedUnits: task.leasedUnits,
    inRound: task.inRound,
    place: place < 0 ? undefined : place,
    maxPrice: weiToMicro(task.maxPrice),
    classes: task.classes.map(({ classId, surcharge }) => ({ classId, surcharge: weiToMicro(surcharge) })),
    supply,
    now: pin.timestamp,
    deadline: task.deadline,
    minLeaseTime: parameters.minLeaseTime,
    intakePaused: paused,
    round: round.status,
    roundMaxTasks: parameters.roundMaxTasks,
  });
}
