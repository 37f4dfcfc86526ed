import { Signature, verifyTypedData } from "ethers";

import type { BlockReference } from "./block-reference.ts";
import { answer, blockTag, type Reader } from "./readers.ts";
import { keyOfSequence, MAX_SHARES, REPORT_TYPES, reportDomain, type SignedReport } from "./report.ts";
import { readReportState } from "./telemetry.ts";
import { ENERGY_METHODS, NODE_STATUSES, type ReportRefusal, enumName } from "./enums.ts";

/** What a node's reports are held against. Times in seconds. */
export interface ReportFacts {
  /** Whether the node is active or draining. */
  readonly inMarket: boolean;
  /** Sequence of its last report on chain; 0 if none. */
  readonly sequence: number;
  /** How often its operator key was changed. */
  readonly keyNumber: number;
  readonly operator: string;
  /** Whether the operator is a contract, which judges signatures itself (ERC-1271): then only a simulation tells. */
  readonly contractOperator?: boolean;
  /** From when on its next report may cover. */
  readonly coveredUntil: number;
  readonly now: number;
  readonly capacity: number;
  /** Maximum power of the machine, watts. */
  readonly powerMax: number;
  readonly chainId: bigint;
  readonly telemetry: string;
}

/** Maximum power of a unit of capacity, watts (`MAX_UNIT_POWER` in Units.sol). */
const MAX_UNIT_POWER = 20_000;

/** Longest time-out that counts for reports, seconds: what 16 bits hold. */
const MAX_TIMEOUT = 65_535;

/**
 * Why the chain would refuse a report; undefined if it would take it. The twin of the contract's own judgement, so that
 * nobody pays for a report that is refused. Pure; O(shares).
 *
 * Whose the leases are is not looked at, because it takes a call for each: an agent knows its own, and a keeper sees it
 * in its simulation.
 *
 * @param facts Undefined if there is no such node.
 */
export function refusalOf(
  { report, signature }: SignedReport,
  facts: ReportFacts | undefined,
): ReportRefusal | undefined {
  if (!facts) return "unknownNode";
  if (!facts.inMarket) return "notInMarket";
  if (report.shares.length > MAX_SHARES) return "tooManyShares";
  if (report.sequence <= facts.sequence || keyOfSequence(report.sequence) !== facts.keyNumber) {
    return "sequenceNotGrowing";
  }
  if (!facts.contractOperator && signerOf({ report, signature }, facts) !== facts.operator) return "badSignature";
  if (report.period === 0 || facts.coveredUntil + report.period > facts.now) return "periodInvalid";
  if (report.load > 10_000) return "loadTooHigh";
  if (report.method === 0 || report.method >= ENERGY_METHODS.length) return "unknownMethod";
  const power = Math.min(facts.powerMax, facts.capacity * MAX_UNIT_POWER);
  if (report.joules > power * report.period) return "powerAboveMaximum";
  if (report.renewableJoules > report.joules) return "renewableAboveTotal";
  const ids = report.shares.map(({ leaseId }) => leaseId);
  if (ids.some((id, i) => id <= (ids[i - 1] ?? 0))) return "sharesOutOfOrder";
  const shared = report.shares.reduce((sum, { joules }) => sum + joules, 0);
  if (shared > report.joules) return "sharesAboveTotal";
  return report.idleUnitSeconds > facts.capacity * report.period ? "idleAboveWork" : undefined;
}

/** The address that signed a report for this chain; undefined if the signature is none. */
function signerOf({ report, signature }: SignedReport, { chainId, telemetry }: ReportFacts): string | undefined {
  try {
    return verifyTypedData(reportDomain(chainId, telemetry), REPORT_TYPES, report, Signature.from(signature));
  } catch {
    return undefined;
  }
}

/** Reads what a node's next report will be held against; undefined if there is no such node. */
export async function nodeReportFacts(
  reader: Reader,
  at: BlockReference,
  nodeId: number,
): Promise<ReportFacts | undefined> {
  const { nodes, supply, telemetry } = reader.contracts;
  if (nodeId < 1 || BigInt(nodeId) > (await answer(nodes.nodeCount(blockTag(at))))) return undefined;
  const [facts, state, reportState, { reportTimeout }, { chainId }, address] = await Promise.all([
    answer(nodes.factsOf(nodeId, blockTag(at))),
    answer(supply.stateOf(nodeId, blockTag(at))),
    readReportState(reader, at, nodeId),
    reader.parameters(at),
    reader.provider.getNetwork(),
    telemetry.getAddress(),
  ]);
  const code = await answer(reader.provider.getCode(facts.operator, at.number));
  const covered = reportState.at === 0 ? Number(facts.registeredAt) : reportState.at - reportState.lag;
  return {
    inMarket: ["active", "draining"].includes(enumName(NODE_STATUSES, state.status)),
    sequence: reportState.sequence,
    keyNumber: Number(facts.keyNumber),
    operator: facts.operator,
    contractOperator: code !== "0x",
    coveredUntil: Math.max(covered, at.timestamp - Math.min(reportTimeout, MAX_TIMEOUT)),
    now: at.timestamp,
    capacity: Number(state.capacity),
    powerMax: Number(facts.powerMax),
    chainId,
    telemetry: address,
  };
}
