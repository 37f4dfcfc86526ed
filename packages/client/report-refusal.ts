import { Signature, verifyTypedData } from "ethers";

import type { BlockReference } from "./block-reference.ts";
import { answer, blockTag, type Reader } from "./readers.ts";
import { keyOfSequence, REPORT_TYPES, reportDomain, type SignedReport } from "./report.ts";
import { readReportState } from "./telemetry.ts";
import { NODE_STATUSES, type ReportRefusal, enumName } from "./enums.ts";

/** What a node's reports are held against. */
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
  /** What the node pays who posts its next report, micro-VER. */
  readonly fee: number;
  readonly capacity: number;
  /** Maximum power of the machine, watts. */
  readonly powerMax: number;
  readonly chainId: bigint;
  readonly telemetry: string;
}

/** Maximum power of a unit of capacity, watts (`MAX_UNIT_POWER` in Units.sol). */
const MAX_UNIT_POWER = 20_000;

/**
 * Why the chain would refuse a report; undefined if it would take it. The twin of the contract's own judgement, so that
 * nobody pays for a report that is refused. Pure.
 *
 * @param facts Undefined if there is no such node.
 */
export function refusalOf(
  { report, signature }: SignedReport,
  facts: ReportFacts | undefined,
): ReportRefusal | undefined {
  if (!facts) return "unknownNode";
  if (!facts.inMarket) return "notInMarket";
  if (report.sequence <= facts.sequence || keyOfSequence(report.sequence) !== facts.keyNumber) {
    return "sequenceNotGrowing";
  }
  if (!facts.contractOperator && signerOf({ report, signature }, facts) !== facts.operator) return "badSignature";
  if (report.load > 10_000) return "loadTooHigh";
  return report.watts > maximumPower(facts) ? "powerAboveMaximum" : undefined;
}

/** Maximum power that the chain believes of a machine, watts. */
export function maximumPower({ powerMax, capacity }: Pick<ReportFacts, "powerMax" | "capacity">): number {
  return Math.min(powerMax, capacity * MAX_UNIT_POWER);
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
  const [facts, state, reportState, { chainId }, address] = await Promise.all([
    answer(nodes.factsOf(nodeId, blockTag(at))),
    answer(supply.stateOf(nodeId, blockTag(at))),
    readReportState(reader, at, nodeId),
    reader.provider.getNetwork(),
    telemetry.getAddress(),
  ]);
  const code = await answer(reader.provider.getCode(facts.operator, at.number));
  return {
    inMarket: ["active", "draining"].includes(enumName(NODE_STATUSES, state.status)),
    sequence: reportState.sequence,
    keyNumber: Number(facts.keyNumber),
    operator: facts.operator,
    contractOperator: code !== "0x",
    fee: reportState.prepaid > 0 ? reportState.fee : 0,
    capacity: Number(state.capacity),
    powerMax: Number(facts.powerMax),
    chainId,
    telemetry: address,
  };
}
