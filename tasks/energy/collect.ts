import type { EnergySummary, NetworkTotals, ReportState } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import { readEnergy, readReportStates, readTotals } from "@verai/client/telemetry";
import { baselineFit, type ClassHours, isClaimed } from "@verai/protocol/energy/baseline";
import { GOALS, renewableNodes, type Standing, standing } from "@verai/protocol/energy/goals";
import { CommandError } from "../errors.ts";

/** Energy and carbon of one account, in people's units. */
export interface Account {
  /** Kilowatt-hours by measurement method, and their sum. */
  readonly kwh: number;
  readonly raplKwh: number;
  readonly nvmlKwh: number;
  readonly estimatedKwh: number;
  readonly renewableKwh: number;
  readonly co2Grams: number;
  /** Of the same work in a data centre, its PUE included; 0 if no paid work has been set against a baseline. */
  readonly baselineKwh: number;
  readonly baselineCo2Grams: number;
  /** Against the baseline; undefined where no saving is claimed. */
  readonly avoidedCo2Grams: number | undefined;
  /** Units that the baseline stands for. */
  readonly creditedUnits: number;
  readonly unitHours: number;
  readonly idleUnitHours: number;
  readonly averageWatts: number;
  /**
   * How many times what a data centre takes in the same hours the baseline is; above 2 it is of other units, and no saving is claimed.
   * Undefined where there is nothing to compare, or nothing known of a class: no saving is claimed then, either.
   */
  readonly baselineFit: number | undefined;
  /** Percent; absent where there is nothing to compare with. */
  readonly standing: Standing;
}

/** A node as the report shows it. */
export interface NodeRow extends Account {
  readonly id: number;
  readonly class: string;
  readonly energySource: string;
  readonly status: string;
  /** Of its last report. */
  readonly watts: number;
  readonly loadPercent: number;
  readonly throttled: boolean;
  readonly reports: number;
}

/** Energy of one lease of a task. */
export interface LeaseRow {
  readonly id: number;
  readonly nodeId: number;
  readonly units: number;
  readonly status: string;
  readonly kwh: number;
  readonly renewableKwh: number;
}

/** What `energy:report` tells. */
export interface EnergyReport {
  readonly scope: "network" | "node" | "task";
  readonly id: number;
  readonly block: number;
  readonly time: string;
  readonly account: Account;
  /** Of the network, or the one node. */
  readonly nodes: readonly NodeRow[];
  /** Of a task. */
  readonly leases: readonly LeaseRow[];
  /** Of the network. */
  readonly goals?: Goals;
}

/** How far the network is with what it promises. Percent. */
export interface Goals {
  readonly averageLoad: number;
  readonly networkWatts: number;
  readonly throttledNodes: number;
  /** Share of nodes that declare a renewable source, what a straight way to the goal asks for now, and the goal. */
  readonly renewableNodes: { readonly share: number | undefined; readonly due: number; readonly goal: number };
  /** Share of reporting nodes all of whose last energy was renewable. */
  readonly reportedRenewable: number | undefined;
  readonly carbonReduction: { readonly reached: number | undefined; readonly goal: number };
  readonly idleHarvested: { readonly reached: number | undefined; readonly goal: number };
}

/**
 * Collects the energy report of the network, a node or a task, at one block. O(nodes) calls for the network, O(leases) for
 * a task.
 *
 * @throws Error naming what there is no such of.
 */
export async function collectEnergy(
  reader: Reader,
  at: BlockReference,
  scope: EnergyReport["scope"],
  id = 0,
): Promise<EnergyReport> {
  const base = {
    scope,
    id,
    block: at.number,
    time: new Date(at.timestamp * 1000).toISOString(),
    nodes: [],
    leases: [],
  };
  if (scope === "task" && !(await reader.task(at, id))) throw new CommandError("NOT_FOUND", `There is no task ${id}.`);
  if (scope === "node" && !(await reader.node(at, id))) throw new CommandError("NOT_FOUND", `There is no node ${id}.`);
  const summary = await readEnergy(reader, at, scope, id);
  switch (scope) {
    case "task": {
      const { rows, worked } = await leaseRows(reader, at, id, Number(summary.unitSeconds) / 3600);
      return { ...base, account: toAccount(summary, worked), leases: rows };
    }
    case "node": {
      const nodes = await nodeRows(reader, at, id);
      return { ...base, account: toAccount(summary, hoursOf(nodes)), nodes };
    }
    case "network": {
      const nodes = await nodeRows(reader, at);
      const account = toAccount(summary, hoursOf(nodes));
      return { ...base, account, nodes, goals: goalsOf(nodes, account, await readTotals(reader, at), at) };
    }
  }
}

async function nodeRows(reader: Reader, at: BlockReference, only?: number): Promise<NodeRow[]> {
  const [nodes, classes, reportStates] = await Promise.all([
    reader.nodes(at),
    reader.classes(at),
    readReportStates(reader, at),
  ]);
  const rows: NodeRow[] = [];
  for (const node of nodes) {
    if (only !== undefined && node.id !== only) continue;
    const seen: ReportState | undefined = reportStates[node.id - 1];
    const summary = await readEnergy(reader, at, "node", node.id);
    const className = classes.find(({ id }) => id === node.classId)?.name ?? "";
    rows.push({
      ...toAccount(summary, [{ className, hours: Number(summary.unitSeconds) / 3600 }]),
      id: node.id,
      class: className,
      energySource: node.energySource,
      status: node.status,
      watts: seen?.watts ?? 0,
      loadPercent: (seen?.load ?? 0) / 100,
      throttled: seen?.throttled ?? false,
      reports: seen?.sequence ?? 0,
    });
  }
  return rows;
}

function hoursOf(nodes: readonly NodeRow[]): ClassHours[] {
  return nodes.map(({ class: className, unitHours: hours }) => ({ className, hours }));
}

/** Also the task's hours by class: dealt out by units, as reports have them for the task in all. */
async function leaseRows(reader: Reader, at: BlockReference, taskId: number, unitHours: number) {
  const [classes, all] = await Promise.all([reader.classes(at), reader.leases(at)]);
  const leases = all.filter((lease) => lease.taskId === taskId);
  const units = leases.reduce((sum, { count }) => sum + count, 0);
  const worked = leases.map(({ classId, count }): ClassHours => ({
    className: classes.find(({ id }) => id === classId)?.name ?? "",
    hours: (unitHours * count) / units,
  }));
  const rows = await Promise.all(
    leases.map(async ({ id, nodeId, count, status }): Promise<LeaseRow> => {
      const energy = await answer(reader.contracts.ledger.leaseEnergyOf(id, blockTag(at)));
      return { id, nodeId, units: count, status, kwh: kwh(energy.joules), renewableKwh: kwh(energy.renewableJoules) };
    }),
  );
  return { rows, worked };
}

function goalsOf(nodes: readonly NodeRow[], account: Account, totals: NetworkTotals, at: BlockReference): Goals {
  const date = new Date(at.timestamp * 1000);
  const begin = Date.UTC(date.getUTCFullYear(), 0);
  const year = date.getUTCFullYear() + (date.getTime() - begin) / (Date.UTC(date.getUTCFullYear() + 1, 0) - begin);
  const inMarket = nodes.filter(({ status }) => status === "active" || status === "draining");
  return {
    averageLoad: totals.capacity === 0 ? 0 : totals.load / totals.capacity / 100,
    networkWatts: totals.watts,
    throttledNodes: totals.throttledNodes,
    renewableNodes: { ...renewableNodes(inMarket, year), goal: GOALS.renewableNodes },
    reportedRenewable: totals.nodes === 0 ? undefined : (totals.renewableNodes * 100) / totals.nodes,
    carbonReduction: { reached: account.standing.carbonReduction, goal: GOALS.carbonReduction },
    idleHarvested: { reached: account.standing.idleHarvested, goal: GOALS.idleHarvested },
  };
}

function toAccount(summary: EnergySummary, worked: readonly ClassHours[]): Account {
  const milligrams = (value: bigint) => Number(value) / 1000;
  const fit = summary.baselineJoules === 0n ? undefined : baselineFit(Number(summary.baselineJoules), worked);
  const fits = isClaimed(fit);
  return {
    kwh: kwh(summary.joules),
    raplKwh: kwh(summary.raplJoules),
    nvmlKwh: kwh(summary.nvmlJoules),
    estimatedKwh: kwh(summary.estimatedJoules),
    renewableKwh: kwh(summary.renewableJoules),
    co2Grams: milligrams(summary.carbonMilligrams),
    baselineKwh: kwh(summary.baselineJoules),
    baselineCo2Grams: milligrams(summary.baselineCarbonMilligrams),
    avoidedCo2Grams: fits ? milligrams(summary.avoidedMilligrams) : undefined,
    creditedUnits: Number(summary.creditedUnits),
    unitHours: Number(summary.unitSeconds) / 3600,
    idleUnitHours: Number(summary.idleUnitSeconds) / 3600,
    averageWatts: Number(summary.averageWatts),
    baselineFit: fit,
    standing: standing({
      joules: Number(summary.joules),
      renewableJoules: Number(summary.renewableJoules),
      grams: milligrams(summary.carbonMilligrams),
      baselineJoules: fits ? Number(summary.baselineJoules) : 0,
      baselineGrams: fits ? milligrams(summary.baselineCarbonMilligrams) : 0,
      idleUnitSeconds: Number(summary.idleUnitSeconds),
      unitSeconds: Number(summary.unitSeconds),
    }),
  };
}

function kwh(joules: bigint): number {
  return Number(joules) / 3_600_000;
}
