import { formatEther } from "ethers";

import { type EnergyOutcome, printOutcome } from "./energy.ts";
import type { Books, GasUse } from "./observe.ts";
import type { FetchedCheckpoint } from "./outcome.ts";
import { table } from "./screen.ts";

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
  }[];
  readonly cost: { readonly paidWei: bigint; readonly optimumWei: bigint };
  readonly tasks: readonly {
    readonly id: number;
    readonly name: string;
    readonly units: number;
    readonly accuracies: readonly number[];
    readonly best: number;
  }[];
  readonly checkpoints: readonly FetchedCheckpoint[];
  readonly gas: readonly GasUse[];
  readonly books: Books;
  /** Absent if that part was left out. */
  readonly energy?: EnergyOutcome;
  readonly checks: readonly { readonly what: string; readonly ok: boolean }[];
}

/** The report as one line of JSON; amounts in wei as decimal strings. */
export function reportJson(report: Report): string {
  return JSON.stringify(report, (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}

/** The report for people. */
export function printReport(report: Report): string {
  const { nodes, cost, tasks, checkpoints, gas, books, energy, checks } = report;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return [
    "Units per node",
    table(
      ["node", "class", "capacity", "ask (VER)", "leases", "units", "earned (VER)"],
      nodes.map((node) => [
        node.name,
        node.class,
        String(node.capacity),
        (node.askMicroVer / 1e6).toFixed(3),
        String(node.leases),
        String(node.units),
        formatEther(node.earnedWei),
      ]),
    ),
    "",
    "Cost",
    table(["paid to nodes (VER)", "joint optimum (VER)"], [[formatEther(cost.paidWei), formatEther(cost.optimumWei)]]),
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
    "The vault's books (VER)",
    table(
      ["balance", "escrow", "stake", "claimable", "bounty pool", "balanced"],
      [
        [
          formatEther(books.balance),
          formatEther(books.escrow),
          formatEther(books.stake),
          formatEther(books.claimable),
          formatEther(books.bountyPool),
          books.balanced ? "yes, to the wei" : "NO",
        ],
      ],
    ),
    "",
    ...(energy ? [printOutcome(energy), ""] : []),
    ...checks.map(({ what, ok }) => `${ok ? "✓" : "✗"} ${what}`),
  ].join("\n");
}
