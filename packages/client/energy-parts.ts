import { toBeHex, zeroPadValue } from "ethers";

import { type EventLog, LogScanner } from "./event-logs.ts";
import type { Session } from "./session.ts";

/** Energy of a lease, as a report of its node says it. */
export interface EnergyPart {
  readonly leaseId: number;
  /** What the report covers, chain time in seconds. */
  readonly from: number;
  readonly until: number;
  readonly joules: number;
  readonly renewableJoules: number;
}

/**
 * What reports have said of a task's energy, oldest first. From events alone: an endpoint may leave some out, so compare their sum with the
 * task's. O(blocks / range) requests; O(reports of the nodes).
 *
 * @param nodeIds Nodes that had leases of the task.
 * @param since First block that is looked at.
 */
export async function readEnergyParts(
  { provider, contracts: { ledger } }: Pick<Session, "provider" | "contracts">,
  taskId: number,
  nodeIds: readonly number[],
  since: number,
  newest: number,
): Promise<EnergyPart[]> {
  const word = (id: number) => zeroPadValue(toBeHex(id), 32);
  const reported = ledger.interface.getEvent("EnergyReported").topicHash;
  const recorded = ledger.interface.getEvent("TaskEnergyRecorded").topicHash;
  const ids = [...new Set([taskId, ...nodeIds])].map(word);
  const logs = await new LogScanner(provider).scan(
    { address: [await ledger.getAddress()], topics: [[reported, recorded], ids] },
    since,
    newest,
  );
  const parts: EnergyPart[] = [];
  // Each report comes before its parts, in the same transaction.
  let report: { readonly log: EventLog; readonly from: number; readonly until: number } | undefined;
  for (const log of logs) {
    const event = ledger.interface.parseLog(log);
    if (!event) continue;
    const { args } = event;
    if (event.name === "EnergyReported") {
      const until = Number(args.coveredUntil);
      report = { log, from: until - Number(args.period), until };
    } else if (Number(args.taskId) === taskId && report?.log.transaction === log.transaction) {
      const { from, until } = report;
      const [leaseId, joules, renewableJoules] = [args.leaseId, args.joules, args.renewableJoules].map(Number) as [
        number,
        number,
        number,
      ];
      parts.push({ leaseId, from, until, joules, renewableJoules });
    }
  }
  return parts;
}
