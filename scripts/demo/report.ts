import { formatEther } from "ethers";

import type { EnergyOutcome } from "@verai/devnet/energy";
import type { LedgerTotals, GasUse } from "@verai/devnet/observe";
import type { AuditStory } from "./audit-story.ts";
import type { Silence } from "@verai/devnet/faults";
import type { FetchedCheckpoint } from "./results.ts";
import { table } from "@verai/devnet/output";
import type { Recovery } from "@verai/devnet/timeline";
import type { EnergyReport } from "@verai/tasks/energy/collect";
import { printEnergy } from "@verai/tasks/energy/print";

/** A unit of the demo is no unit that the baseline is meant for. */
const UNITS_OF_THE_DEMO =
  "The comparison with a data centre says nothing here: its baseline is of units that take a device an hour, and those of\n" +
  "the demo take a minute. A real network sets the baseline of a class to what its units are.";

/** What the demo found. Amounts in wei. */
export interface Report {
  readonly rpcUrl: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly class: string;
    readonly capacity: number;
    readonly askMicroVer: number;
    readonly leases: number;
    readonly units: number;
    readonly earnedWei: bigint;
    /** What is left of its stake. */
    readonly stakeWei: bigint;
  }[];
  readonly cost: {
    /** What the first round granted the units for. */
    readonly grantedWei: bigint;
    readonly optimumWei: bigint;
    /** What was paid in the end, to those who finished the work of others as well. */
    readonly paidWei: bigint;
  };
  /** How the work of failed leases went on; times in seconds since the fault. */
  readonly recoveries: readonly (Recovery & { readonly node: string })[];
  /** The cheat, and how many audits passed. */
  readonly audit: AuditStory & { readonly passed: number };
  readonly faults: {
    readonly damaged: readonly string[];
    readonly silence: Silence;
    readonly inFlight: { readonly label: string; readonly nonce: number };
  };
  readonly tasks: readonly {
    readonly id: number;
    readonly name: string;
    readonly units: number;
    readonly accuracies: readonly number[];
    readonly best: number;
  }[];
  readonly checkpoints: readonly FetchedCheckpoint[];
  readonly gas: readonly GasUse[];
  readonly totals: LedgerTotals;
  /** Absent if that part was left out. */
  readonly energy?: EnergyOutcome<EnergyReport>;
  readonly checks: readonly { readonly what: string; readonly ok: boolean }[];
}

/** The report as one line of JSON; amounts in wei as decimal strings. */
export function reportJson(report: Report): string {
  return JSON.stringify(report, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

/** The report for people. */
export function printReport(report: Report): string {
  const { nodes, cost, recoveries, audit, faults, tasks, checkpoints, gas, totals, energy, checks } = report;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return [
    "Units per node",
    table(
      ["node", "class", "capacity", "ask (VER)", "leases", "units", "earned (VER)", "stake left (VER)"],
      nodes.map((node) => [
        node.name,
        node.class,
        String(node.capacity),
        (node.askMicroVer / 1e6).toFixed(3),
        String(node.leases),
        String(node.units),
        formatEther(node.earnedWei),
        formatEther(node.stakeWei),
      ]),
    ),
    "",
    "Cost",
    table(
      ["granted by the round (VER)", "joint optimum (VER)", "paid after all that failed (VER)"],
      [[cost.grantedWei, cost.optimumWei, cost.paidWei].map(formatEther)],
    ),
    "",
    "Recoveries: seconds since the fault",
    table(
      ["fault", "lease", "detected", "expired", "seed", "drawn", "restored", "checkpoint", "goes on as", "by", "units"],
      recoveries.map((row) => [
        row.fault,
        String(row.leaseId),
        ...[row.detected, row.expired, row.seed, row.drawn, row.restored, row.checkpoint].map(
          (each) => each?.toFixed(1) ?? "-",
        ),
        `${String(row.successor)} at ${row.node}`,
        row.by,
        String(row.units),
      ]),
    ),
    `the copy at ${faults.damaged.join(" and ") || "nobody"} was damaged; the oracle was silent for ${faults.silence.seconds.toFixed(0)} s (${faults.silence.request} given up);`,
    `the keeper was killed with "${faults.inFlight.label}" (nonce ${String(faults.inFlight.nonce)}) in flight`,
    "",
    "The cheat: seconds since its segment was posted",
    table(
      [
        "lease",
        "segment",
        "drawn",
        "verifier",
        "panel",
        "rounds",
        "convicted",
        "lost (VER)",
        "goes on as",
        "audits passed",
      ],
      [
        [
          String(audit.leaseId),
          String(audit.sequence),
          String(audit.drawn),
          audit.verifier,
          String(audit.panel),
          String(audit.rounds),
          String(audit.convicted),
          formatEther(audit.slashedWei),
          `${String(audit.successor)} at ${audit.by}`,
          String(audit.passed),
        ],
      ],
    ),
    "",
    "Models",
    table(
      ["task", "units", "best accuracy", "accuracy of each unit"],
      tasks.map((task) => [
        `${String(task.id)} ${task.name}`,
        String(task.units),
        percent(task.best),
        task.accuracies.map((each) => (each * 100).toFixed(1)).join(" "),
      ]),
    ),
    "",
    "Last checkpoint of each lease, fetched back from another node and verified",
    table(
      ["lease", "CID", "bytes", "made by", "fetched from", "verified"],
      checkpoints.map((each) => [
        String(each.leaseId),
        each.cid,
        String(each.size),
        each.madeBy,
        each.fetchedFrom,
        each.verified ? "yes" : `no: ${each.error ?? "its size is not what was posted"}`,
      ]),
    ),
    "",
    "Gas per step",
    table(
      ["step", "count", "median", "highest"],
      gas.map((each) => [each.step, String(each.count), String(each.median), String(each.highest)]),
    ),
    "",
    "The vault's totals (VER)",
    table(
      ["balance", "escrow", "stake", "claimable", "bounty pool", "balanced"],
      [
        [
          formatEther(totals.balance),
          formatEther(totals.escrow),
          formatEther(totals.stake),
          formatEther(totals.claimable),
          formatEther(totals.bountyPool),
          totals.balanced ? "yes, to the wei" : "NO",
        ],
      ],
    ),
    "",
    ...(energy ? [printEnergyOutcome(energy), ""] : []),
    ...checks.map(({ what, ok }) => `${ok ? "✓" : "✗"} ${what}`),
  ].join("\n");
}

/** What the part about energy came to, for people. */
function printEnergyOutcome({ network, tasks }: EnergyOutcome<EnergyReport>): string {
  return [...[network, ...tasks].map(printEnergy), UNITS_OF_THE_DEMO].join("\n\n");
}
