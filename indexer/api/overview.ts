import { sql } from "kysely";
import { z } from "zod";

import { rowSchema, shown } from "../database/columns.ts";
import { TABLES } from "../database/tables.ts";
import type { Asked } from "./pages.ts";

const { period: _period, start: _start, block: _block, time: _time, ...sums } = TABLES.networkPeriods.columns;
const count = z.number().int();

/** The network as it stands, and sums since its first block. */
export const networkNow = z.strictObject({
  nodes: count.describe("nodes in the market: active or draining"),
  eligibleNodes: count.describe("active nodes that may be given new work, as far as their reports go"),
  renewableNodes: count.describe("nodes in the market that say that their electricity is renewable"),
  capacity: count.describe("units that nodes in the market can hold at once"),
  leasedUnits: count.describe("units that they run"),
  openTasks: count.describe("tasks in the market"),
  openUnits: count.describe("units of them that wait for a round"),
  leasedTaskUnits: count.describe("units of tasks in the market that are leased, or wait for a batch or a decision"),
  total: rowSchema(sums).describe("sums since the first block"),
});

/** A class with the supply in it. */
export const classNow = z.strictObject({
  ...rowSchema(TABLES.classes.columns).shape,
  nodes: count.describe("nodes in the market"),
  capacity: count.describe("units that they can hold at once"),
  leasedUnits: count.describe("units that they run"),
});

const RENEWABLE = ["solar", "wind", "hydro", "geothermal"];
const IN_MARKET = ["active", "draining"];

/** Sums of whole numbers, as one query. */
function total(column: string) {
  return sql<number | string | null>`sum(${sql.ref(column)})`;
}

/** Reads the network as it stands. O(nodes + open tasks + days). */
export async function readNetwork(db: Asked): Promise<z.input<typeof networkNow>> {
  const one = sql<number | string>`count(*)`;
  const [nodes, eligible, renewable, tasks, days] = [
    await db
      .selectFrom("nodes")
      .select([one.as("count"), total("capacity").as("capacity"), total("leasedUnits").as("leased")])
      .where("status", "in", IN_MARKET)
      .executeTakeFirstOrThrow(),
    await db
      .selectFrom("nodes")
      .select(one.as("count"))
      .where("status", "=", "active")
      .where("eligible", "=", 1)
      .executeTakeFirstOrThrow(),
    await db
      .selectFrom("nodes")
      .select(one.as("count"))
      .where("status", "in", IN_MARKET)
      .where("energySource", "in", RENEWABLE)
      .executeTakeFirstOrThrow(),
    await db
      .selectFrom("tasks")
      .select([one.as("count"), total("openUnits").as("open"), total("leasedUnits").as("leased")])
      .where("status", "in", ["open", "closing"])
      .executeTakeFirstOrThrow(),
    await db.selectFrom("networkPeriods").selectAll().where("period", "=", "day").execute(),
  ];
  return {
    nodes: Number(nodes.count),
    eligibleNodes: Number(eligible.count),
    renewableNodes: Number(renewable.count),
    capacity: Number(nodes.capacity ?? 0),
    leasedUnits: Number(nodes.leased ?? 0),
    openTasks: Number(tasks.count),
    openUnits: Number(tasks.open ?? 0),
    leasedTaskUnits: Number(tasks.leased ?? 0),
    total: sumOf(days),
  };
}

/** Sums of all columns of the days. */
function sumOf(days: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(sums).map(([name, { kind }]): [string, unknown] => {
      if (kind !== "wei") return [name, days.reduce((sum, day) => sum + Number(day[name]), 0)];
      return [name, days.reduce((sum, day) => sum + BigInt(String(day[name])), 0n).toString()];
    }),
  );
}

/** Reads all classes. O(nodes). */
export async function readClasses(db: Asked): Promise<z.input<typeof classNow>[]> {
  const classes = await db.selectFrom("classes").selectAll().orderBy("id").execute();
  const supply = await db
    .selectFrom("nodes")
    .select(["classId", sql<number | string>`count(*)`.as("count")])
    .select([total("capacity").as("capacity"), total("leasedUnits").as("leased")])
    .where("status", "in", IN_MARKET)
    .groupBy("classId")
    .execute();
  return classes.map((each) => {
    const mine = supply.find(({ classId }) => classId === each.id);
    const numbers = { nodes: Number(mine?.count ?? 0), capacity: Number(mine?.capacity ?? 0) };
    const row = { ...shown(TABLES.classes.columns, each), ...numbers, leasedUnits: Number(mine?.leased ?? 0) };
    return row;
  });
}
