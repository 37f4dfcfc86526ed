import type { EnergySummary, NetworkTotals, ReportState } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import { readEnergy, readReportStates, readTotals } from "@verai/client/telemetry";
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
  readonly avoidedCo2Grams: number;
  /** Units that the baseline stands for. */
  readonly creditedUnits: number;
  readonly unitHours: number;
  readonly idleUnitHours: number;
  readonly averageWatts: number;
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
  const account = toAccount(await readEnergy(reader, at, scope, id));
  switch (scope) {
    case "task":
      return { ...base, account, leases: await leaseRows(reader, at, id) };
    case "node":
      return { ...base, account, nodes: await nodeRows(reader, at, id) };
    case "network": {
      const nodes = await nodeRows(reader, at);
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
    rows.push({
      ...toAccount(await readEnergy(reader, at, "node", node.id)),
      id: node.id,
      class: classes.find(({ id }) => id === node.classId)?.name ?? "",
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

async function leaseRows(reader: Reader, at: BlockReference, taskId: number): Promise<LeaseRow[]> {
  const leases = (await reader.leases(at)).filter((lease) => lease.taskId === taskId);
  return Promise.all(
    leases.map(async ({ id, nodeId, count, status }) => {
      const energy = await answer(reader.contracts.ledger.leaseEnergyOf(id, blockTag(at)));
      return { id, nodeId, units: count, status, kwh: kwh(energy.joules), renewableKwh: kwh(energy.renewableJoules) };
    }),
  );
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

function toAccount(summary: EnergySummary): Account {
  const milligrams = (value: bigint) => Number(value) / 1000;
  return {
    kwh: kwh(summary.joules),
    raplKwh: kwh(summary.raplJoules),
    nvmlKwh: kwh(summary.nvmlJoules),
    estimatedKwh: kwh(summary.estimatedJoules),
    renewableKwh: kwh(summary.renewableJoules),
    co2Grams: milligrams(summary.carbonMilligrams),
    baselineKwh: kwh(summary.baselineJoules),
    baselineCo2Grams: milligrams(summary.baselineCarbonMilligrams),
    avoidedCo2Grams: milligrams(summary.avoidedMilligrams),
    creditedUnits: Number(summary.creditedUnits),
    unitHours: Number(summary.unitSeconds) / 3600,
    idleUnitHours: Number(summary.idleUnitSeconds) / 3600,
    averageWatts: Number(summary.averageWatts),
    standing: standing({
      joules: Number(summary.joules),
      renewableJoules: Number(summary.renewableJoules),
      grams: milligrams(summary.carbonMilligrams),
      baselineJoules: Number(summary.baselineJoules),
      baselineGrams: milligrams(summary.baselineCarbonMilligrams),
      idleUnitSeconds: Number(summary.idleUnitSeconds),
      unitSeconds: Number(summary.unitSeconds),
    }),
  };
}

function kwh(joules: bigint): number {
  return Number(joules) / 3_600_000;
}
