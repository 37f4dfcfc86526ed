import type { IEnergyLedger } from "../../types/contracts/contracts/periphery/energy/EnergyLedger.ts";
import type { ITelemetry } from "../../types/contracts/contracts/periphery/telemetry/Telemetry.ts";
import type { ClassEnergy, EnergySummary, NetworkTotals, NodeShift, ReportState } from "./entities.ts";
import { safe } from "./internal/convert.ts";
import { pagesOf, PageSize, readPages, runsOf } from "./internal/pager.ts";
import type { BlockReference } from "./block-reference.ts";
import { answer, blockTag, type Reader } from "./readers.ts";
import { ENERGY_SCOPES, type EnergyScope, numberOf } from "./enums.ts";

/** Standings that one call reads; halved by itself where an endpoint cannot serve that many. */
const REPORT_STATES = new PageSize(500);
/** Standings that one view reads, of those asked for by id: few, as with all pages of views that go out together. */
const REPORT_STATE_PAGE = 20;
/** Reporters that one view reads. */
const REPORTER_PAGE = 20;

/** What of a node's operator key its reports are held against. */
export interface Reporter {
  readonly operator: string;
  readonly keyNumber: number;
  readonly registeredAt: number;
  readonly contractOperator: boolean;
}

/** What is known of every node by its reports, by ascending id; nodes that never reported have sequence 0. O(nodes). */
export async function readReportStates({ contracts }: Reader, at: BlockReference): Promise<ReportState[]> {
  const count = safe(await answer(contracts.nodes.nodeCount(blockTag(at))));
  const page = (from: number, most: number) => contracts.telemetry.reportStatePage(from, most, blockTag(at));
  return (await readPages(page, 1, count, REPORT_STATES)).map((reportState, i) => toReportState(i + 1, reportState));
}

/** What is known of a node by its reports; sequence 0 if it never reported. */
export async function readReportState({ contracts }: Reader, at: BlockReference, nodeId: number): Promise<ReportState> {
  return toReportState(nodeId, await answer(contracts.telemetry.reportStateOf(nodeId, blockTag(at))));
}

/** The same of these nodes alone, in their order. */
export async function readReportStatesById(
  { contracts }: Reader,
  at: BlockReference,
  nodeIds: readonly number[],
): Promise<ReportState[]> {
  const runs = runsOf([...new Set(nodeIds)], 0).flatMap(({ from, to }) => pagesOf(from, to, REPORT_STATE_PAGE));
  const read = await Promise.all(
    runs.map(async ({ from, to }) => {
      const page = await answer(contracts.telemetry.reportStatePage(from, to - from + 1, blockTag(at)));
      return page.map((reportState, i) => toReportState(from + i, reportState));
    }),
  );
  return read.flat();
}

/** What the reports of these nodes are held against; those that exist, in no order. */
export async function readReporters(
  { contracts }: Reader,
  at: BlockReference,
  nodeIds: readonly number[],
): Promise<Map<number, Reporter>> {
  const ids = [...nodeIds];
  const pages = pagesOf(0, ids.length - 1, REPORTER_PAGE).map(({ from, to }) => ids.slice(from, to + 1));
  const read = await Promise.all(pages.map(async (page) => answer(contracts.lens.reportersOf(page, blockTag(at)))));
  return new Map(
    read.flat().map(({ nodeId, operator, keyNumber, registeredAt, isContract }) => {
      const key = { operator, keyNumber: safe(keyNumber), registeredAt: safe(registeredAt) };
      return [safe(nodeId), { ...key, contractOperator: isContract }];
    }),
  );
}

/** Sums over the nodes that count. */
export async function readTotals({ contracts }: Reader, at: BlockReference): Promise<NetworkTotals> {
  const totals = await answer(contracts.telemetry.totals(blockTag(at)));
  return {
    load: safe(totals.load),
    watts: safe(totals.watts),
    capacity: safe(totals.capacity),
    nodes: safe(totals.nodes),
    renewableNodes: safe(totals.renewableNodes),
    throttledNodes: safe(totals.throttledNodes),
  };
}

/** Units on their way from and to each of these nodes. Two views a node, which go out together. */
export async function readShifts(
  { contracts }: Reader,
  at: BlockReference,
  nodeIds: readonly number[],
): Promise<Map<number, NodeShift>> {
  const shifts = await Promise.all(
    nodeIds.map(async (id) => {
      const [shift, arrival] = await Promise.all([
        answer(contracts.balancer.shiftOf(id, blockTag(at))),
        answer(contracts.reassignment.arrivalOf(id, blockTag(at))),
      ]);
      return [id, { outgoing: safe(shift.outgoing), incoming: safe(arrival.units) }] as const;
    }),
  );
  return new Map(shifts);
}

/** Until when a lease's range may not be moved again, seconds; 0 if it never moved. */
export async function readCoolingUntil({ contracts }: Reader, at: BlockReference, leaseId: number): Promise<number> {
  return safe(await answer(contracts.balancer.coolingUntil(leaseId, blockTag(at))));
}

/** Energy and carbon of a node or task, by its id, or of the network (0). */
export async function readEnergy(
  { contracts }: Reader,
  at: BlockReference,
  scope: EnergyScope,
  id = 0,
): Promise<EnergySummary> {
  return toSummary(await answer(contracts.ledger.summaryOf(numberOf(ENERGY_SCOPES, scope), id, blockTag(at))));
}

/** Whether a paid lease can be set against its baseline, or has been. */
export async function readCredit(
  { contracts }: Reader,
  at: BlockReference,
  leaseId: number,
): Promise<{ readonly reported: boolean; readonly credited: boolean }> {
  const { reported, credited } = await answer(contracts.ledger.leaseEnergyOf(leaseId, blockTag(at)));
  return { reported, credited };
}

/** What a class is compared with. */
export async function readClassEnergy(
  { contracts }: Reader,
  at: BlockReference,
  classId: number,
): Promise<ClassEnergy> {
  const { baselineJoules, gridIntensity } = await answer(contracts.ledger.classEnergyOf(classId, blockTag(at)));
  return { baselineJoules: safe(baselineJoules), gridIntensity: safe(gridIntensity) };
}

function toReportState(nodeId: number, v: ITelemetry.ReportStateStructOutput): ReportState {
  // By place, because `at` of ethers' results is the method of arrays.
  const [sequence, at, load, latency, watts, previousWatts, , prepaid, fee, throttled, counted, renewable] = v;
  return {
    nodeId,
    sequence: safe(sequence),
    at: safe(at),
    load: safe(load),
    latency: safe(latency),
    watts: safe(watts),
    previousWatts: safe(previousWatts),
    prepaid: safe(prepaid),
    fee: safe(fee),
    throttled,
    counted,
    renewable,
  };
}

function toSummary(v: IEnergyLedger.SummaryStructOutput): EnergySummary {
  return {
    joules: v.joules,
    raplJoules: v.raplJoules,
    nvmlJoules: v.nvmlJoules,
    estimatedJoules: v.estimatedJoules,
    renewableJoules: v.renewableJoules,
    seconds: v.seconds_,
    averageWatts: v.averageWatts,
    unitSeconds: v.unitSeconds,
    idleUnitSeconds: v.idleUnitSeconds,
    creditedUnits: v.creditedUnits,
    baselineJoules: v.baselineJoules,
    carbonMilligrams: v.carbonMilligrams,
    baselineCarbonMilligrams: v.baselineCarbonMilligrams,
    avoidedMilligrams: v.avoidedMilligrams,
    efficiencyGainBps: v.efficiencyGainBps,
    carbonReductionBps: v.carbonReductionBps,
    renewableBps: v.renewableBps,
    idleBps: v.idleBps,
  };
}
