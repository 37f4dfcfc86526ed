/**
 * DRMP for programs that use ethers 6: typed contracts, reads as plain data, permits, receipts, errors in sentences.
 *
 * @packageDocumentation
 */
import type { ContractRunner } from "ethers";

import { connect, type Contracts, parseDeployment } from "@verai/client/deployment";
import type { Addresses } from "./addresses.ts";

export type { Contracts } from "@verai/client/deployment";
export type {
  Batch,
  Checkpoint,
  ContentId,
  Lease,
  Listing,
  Node,
  NodeClass,
  EnergySummary,
  NetworkTotals,
  ReportState,
  Round,
  Task,
} from "@verai/client/entities";
export { ChainError, ContractRefusalError, isRefusal, RpcUnavailableError } from "@verai/client/errors";
export { explain } from "@verai/client/error-messages";
export { eventsOf, type ProtocolEvent, type SubmittedTask, submittedTask } from "@verai/client/outcomes";
export { type Permit, signPermit } from "@verai/client/permit";
export { type BlockReference, blockReference } from "@verai/client/block-reference";
export { type Quote, quoteTask, type Wish } from "@verai/client/quote";
export { type PageSizes, Reader } from "@verai/client/readers";
export { readEnergy, readReportState, readReportStates, readTotals } from "@verai/client/telemetry";

/**
 * The contracts of a deployment, typed.
 *
 * @param runner A provider to read; a signer that has one to also write.
 * @param addresses What {@link addressesOn} gives.
 * @throws ChainError naming the contracts whose addresses are missing.
 */
export function drmpContracts(runner: ContractRunner, addresses: Addresses): Contracts {
  const deployment = parseDeployment(0, "given to drmpContracts", JSON.stringify(addresses));
  return connect(deployment, runner);
}
