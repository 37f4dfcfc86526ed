import type { BlockReference } from "./block-reference.ts";
import { CONSTANTS } from "./generated/constants.ts";
import { enumName, LEASE_STATUSES, NODE_STATUSES, type NodeStatus } from "./enums.ts";
import { answer, blockTag, type Reader } from "./readers.ts";
import { maximumPower } from "./report-refusal.ts";

/** Energy of one lease's units in a period. */
export interface EnergyShare {
  readonly leaseId: number;
  /** Time of the period in which the lease ran. */
  readonly seconds: number;
  readonly joules: number;
}

/** What a node says of its energy in a period; `IEnergyLedger.EnergyReport`. */
export interface EnergyReport {
  readonly nodeId: number;
  /** Seconds that it covers. */
  readonly period: number;
  readonly joules: number;
  readonly renewableJoules: number;
  /** Place in {@link ENERGY_METHODS}. */
  readonly method: number;
  /** Version of the agent: major × 256 + minor. */
  readonly version: number;
  /** Unit-seconds of work done while the machine's owner left it idle. */
  readonly idleUnitSeconds: number;
  /** One for each lease that ran in the period, ascending. */
  readonly shares: readonly EnergyShare[];
}

/** A lease as far as its energy is concerned. */
export interface EnergyLease {
  readonly nodeId: number;
  readonly count: number;
  /** When it ended, seconds; Infinity while it runs. */
  readonly end: number;
}

/** What a report of energy is held against. Times in seconds. */
export interface EnergyFacts {
  /** From when on the report may cover. */
  readonly from: number;
  readonly now: number;
  /** Units; 0 of a node that has left the market. */
  readonly capacity: number;
  /** Maximum power of the machine, watts. */
  readonly powerMax: number;
  /** The leases that it names. */
  readonly leases: ReadonlyMap<number, EnergyLease>;
}

/** Maximum shares in a report. */
export const { MAX_SHARES } = CONSTANTS.EnergyLedger;

/** How far a report may reach back, seconds. */
const { MAX_REACH } = CONSTANTS.EnergyLedger;

/**
 * A report cut down to what the chain takes: the clocks of a machine and of the chain differ by seconds, and a lease may be
 * over before its work has stopped. Pure; O(shares).
 *
 * @returns Undefined if there is no time to cover yet, or the node has left the market.
 */
export function fitEnergyReport(report: EnergyReport, facts: EnergyFacts): EnergyReport | undefined {
  const period = Math.min(report.period, facts.now - facts.from);
  if (period < 1 || facts.capacity === 0) return undefined;
  const power = maximumPower(facts);
  const joules = Math.min(report.joules, power * period);
  let left = joules;
  let unitSeconds = 0;
  const shares: EnergyShare[] = [];
  for (const share of report.shares) {
    const lease = facts.leases.get(share.leaseId);
    if (lease?.nodeId !== report.nodeId) continue;
    const seconds = Math.min(share.seconds, period, lease.end - facts.from);
    if (seconds < 1) continue;
    const own = Math.min(share.joules, power * seconds, left);
    left -= own;
    unitSeconds += lease.count * seconds;
    shares.push({ leaseId: share.leaseId, seconds, joules: own });
  }
  return {
    ...report,
    period,
    joules,
    renewableJoules: Math.min(report.renewableJoules, joules),
    idleUnitSeconds: Math.min(report.idleUnitSeconds, unitSeconds, facts.capacity * period),
    shares,
  };
}

/** As the ledger takes it. */
export function energyReportCall({ shares, ...report }: EnergyReport) {
  return { ...report, shares: shares.map(({ leaseId, seconds, joules }) => ({ leaseId, seconds_: seconds, joules })) };
}

/** Until when a node's energy is on chain, seconds; 0 if it never reported any. */
export async function readCoveredUntil({ contracts }: Reader, at: BlockReference, nodeId: number): Promise<number> {
  return Number(await answer(contracts.ledger.coveredUntil(nodeId, blockTag(at))));
}

/** Reads what a node's next report of energy will be held against. Three views, and one or two for each lease. */
export async function readEnergyFacts(
  reader: Reader,
  at: BlockReference,
  nodeId: number,
  leaseIds: readonly number[],
): Promise<EnergyFacts> {
  const { nodes, supply } = reader.contracts;
  const [facts, state, covered, leases] = await Promise.all([
    answer(nodes.factsOf(nodeId, blockTag(at))),
    answer(supply.stateOf(nodeId, blockTag(at))),
    readCoveredUntil(reader, at, nodeId),
    Promise.all(leaseIds.map(async (id) => [id, await readEnergyLease(reader, at, id)] as const)),
  ]);
  return {
    from: Math.max(covered === 0 ? Number(facts.registeredAt) : covered, at.timestamp - Number(MAX_REACH)),
    now: at.timestamp,
    capacity: isInMarket(enumName(NODE_STATUSES, state.status)) ? Number(state.capacity) : 0,
    powerMax: Number(facts.powerMax),
    leases: new Map(leases),
  };
}

function isInMarket(status: NodeStatus): boolean {
  return status === "active" || status === "draining";
}

async function readEnergyLease({ contracts }: Reader, at: BlockReference, leaseId: number): Promise<EnergyLease> {
  const lease = await answer(contracts.leases.lease(leaseId, blockTag(at)));
  const status = enumName(LEASE_STATUSES, lease.status);
  const about = { nodeId: Number(lease.nodeId), count: Number(lease.count) };
  if (status === "active" || status === "moving") return { ...about, end: Infinity };
  if (status === "released" || status === "expired") return { ...about, end: Number(lease.due) };
  const { deliveredAt } = await answer(contracts.leases.result(leaseId, blockTag(at)));
  return { ...about, end: Number(deliveredAt) };
}
