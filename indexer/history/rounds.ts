import { decodeBytes32String } from "ethers";

import { PRICE_UNIT } from "@verai/protocol/money/units";
import type { Row } from "../database/tables.ts";
import { big, type Context, keeper, lease, list, network, num, type Reducer, stamp, str } from "./context.ts";
import type { Arguments } from "./events.ts";
import { PERIODS, type Period, startOf } from "./keys.ts";

/** What a micro-VER is multiplied by in clearing prices; its wei divide by it without a rest. */
const DITHER = 1_024n;

function round({ changes, event }: Context, id: number): Row<"rounds"> {
  return stamp(changes.row("rounds", { id }, id), event);
}

function batch({ changes, event }: Context, id: number): Row<"batches"> {
  return stamp(changes.row("batches", { id }, id), event);
}

/** Classes of a packed set: bit i stands for class i. */
function classesOf(bits: bigint): number[] {
  const found: number[] = [];
  for (let id = 0; bits >> BigInt(id) !== 0n; id++) if ((bits >> BigInt(id)) & 1n) found.push(id);
  return found;
}

/** Text of a class's name; one that is no text is shown as it is. */
function nameOf(name: string): string {
  try {
    return decodeBytes32String(name).replaceAll("\0", "\ufffd");
  } catch {
    return name;
  }
}

/** Reducers of rounds, batches, seeds, classes and keepers. */
export const roundReducers: Readonly<Record<string, Reducer>> = {
  RoundOpened(context) {
    const { args, event } = context;
    const demands = list(args, "demands") as readonly Arguments[];
    Object.assign(round(context, num(args, "roundId")), {
      status: "seeding",
      opener: str(args, "opener"),
      requestId: String(big(args, "requestId")),
      demands: JSON.stringify(demands.map((demand) => [num(demand, "taskId"), num(demand, "units")])),
      classes: JSON.stringify(classesOf(big(args, "classes"))),
      tasks: demands.length,
      openedBlock: event.block,
      openedAt: event.time,
    });
    keeper(context, str(args, "opener")).roundsOpened += 1;
  },
  RoundSettled(context) {
    const { args, event, settled } = context;
    const row = round(context, num(args, "roundId"));
    const leases = num(args, "leases");
    Object.assign(row, {
      status: "settled",
      keeper: str(args, "keeper"),
      leases,
      units: num(args, "units"),
      unitsOpen: num(args, "unitsOpen"),
      endedAt: event.time,
    });
    // What it grants comes after it, in the same transaction.
    Object.assign(settled, { roundId: row.id, left: leases });
    keeper(context, str(args, "keeper")).roundsSettled += 1;
    network(context, (period) => {
      period.rounds += 1;
    });
  },
  RoundAborted(context) {
    const row = round(context, num(context.args, "roundId"));
    row.status = "aborted";
    row.endedAt = context.event.time;
  },
  ClassCleared(context) {
    const { args, event, changes } = context;
    const [roundId, classId, units] = [num(args, "roundId"), num(args, "classId"), num(args, "units")];
    const clearing = big(args, "clearing") * (PRICE_UNIT / DITHER);
    Object.assign(stamp(changes.row("roundClasses", { roundId, classId }, roundId, classId), event), {
      clearing,
      units,
    });
    stamp(changes.row("classes", { id: classId }, classId), event).clearing = clearing;
    for (const period of Object.keys(PERIODS) as Period[]) {
      const start = startOf(period, event.time);
      const row = stamp(changes.row("classPeriods", { classId, period, start }, classId, period, start), event);
      row.low = row.rounds === 0 || clearing < row.low ? clearing : row.low;
      row.high = clearing > row.high ? clearing : row.high;
      row.last = clearing;
      row.rounds += 1;
      row.units += units;
    }
  },
  SeedStored({ changes, args, event }) {
    const requestId = String(big(args, "requestId"));
    const seed = str(args, "seed");
    for (const row of changes.all("rounds")) {
      if (row.requestId !== requestId || row.status !== "seeding") continue;
      const changed = stamp(changes.row("rounds", {}, row.id), event);
      [changed.seed, changed.status] = [seed, "settling"];
    }
    for (const row of changes.all("batches")) {
      if (row.requestId !== requestId || row.status !== "seeding") continue;
      const changed = stamp(changes.row("batches", {}, row.id), event);
      [changed.seed, changed.status] = [seed, "drawing"];
    }
  },
  BatchOpened(context) {
    const { args, event } = context;
    Object.assign(batch(context, num(args, "batchId")), {
      status: "seeding",
      opener: str(args, "opener"),
      requestId: String(big(args, "requestId")),
      leases: list(args, "leaseIds").length,
      openedBlock: event.block,
      openedAt: event.time,
    });
    keeper(context, str(args, "opener")).batchesOpened += 1;
  },
  RangeDrawn(context) {
    const { args } = context;
    const row = batch(context, num(args, "batchId"));
    row.drawn += 1;
    lease(context, num(args, "leaseId")).batchId = row.id;
  },
  BatchDrawn(context) {
    const row = batch(context, num(context.args, "batchId"));
    row.status = "done";
    row.endedAt = context.event.time;
    network(context, (period) => {
      period.batches += 1;
    });
  },
  BatchAborted(context) {
    const row = batch(context, num(context.args, "batchId"));
    row.status = "aborted";
    row.endedAt = context.event.time;
  },
  ClassAdded({ args, event, changes }) {
    const id = num(args, "classId");
    const row = stamp(changes.row("classes", { id }, id), event);
    row.name = nameOf(str(args, "name"));
    row.tick = big(args, "tickSize") * PRICE_UNIT;
  },
  BountyPaid(context) {
    const amount = big(context.args, "amount");
    const row = keeper(context, str(context.args, "to"));
    row.bounties += amount;
    row.bountiesMicro = Number(row.bounties / PRICE_UNIT);
    network(context, (period) => {
      period.bounties += amount;
    });
  },
};
