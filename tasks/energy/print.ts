import { whyNotClaimed } from "@verai/protocol/energy/baseline";
import type { Account, EnergyReport } from "./collect.ts";

/** The report for people. */
export function printEnergy(report: EnergyReport): string {
  const { scope, id, account, nodes, leases, goals } = report;
  const title = scope === "network" ? "Energy of the network" : `Energy of ${scope} ${id}`;
  const lines = [`${title}, block ${report.block}, ${report.time}`, "", ...accountLines(account)];
  if (leases.length > 0) {
    const rows = leases.map((lease) => [
      String(lease.id),
      String(lease.nodeId),
      String(lease.units),
      lease.status,
      energy(lease.kwh),
      energy(lease.renewableKwh),
    ]);
    lines.push("", columns([["lease", "node", "units", "status", "energy", "renewable"], ...rows]));
  }
  if (nodes.length > 0) {
    const rows = nodes.map((node) => [
      `${node.id}${node.throttled ? " (throttled)" : ""}`,
      node.class,
      node.energySource,
      energy(node.kwh),
      methods(node),
      percent(node.standing.renewableEnergy),
      `${node.co2Grams.toFixed(3)} g`,
      `${node.watts} W`,
      `${node.loadPercent.toFixed(0)} %`,
      String(node.reports),
    ]);
    const head = ["node", "class", "source", "energy", "method", "renewable", "CO2", "power", "load", "reports"];
    lines.push("", columns([head, ...rows]));
  }
  if (goals) {
    const { renewableNodes: declared } = goals;
    lines.push(
      "",
      columns([
        ["goal", "reached", "to be reached"],
        [
          "nodes on renewable energy, as declared",
          percent(declared.share),
          `${declared.goal} % by 2030 (${declared.due.toFixed(0)} % by now)`,
        ],
        ["nodes whose last report was all renewable", percent(goals.reportedRenewable), ""],
        ["less carbon than in data centres", percent(goals.carbonReduction.reached), `${goals.carbonReduction.goal} %`],
        ["work on otherwise idle machines", percent(goals.idleHarvested.reached), `${goals.idleHarvested.goal} %`],
      ]),
      "",
      `Average load ${goals.averageLoad.toFixed(1)} %, power ${goals.networkWatts} W, ${goals.throttledNodes === 1 ? "1 node" : `${goals.throttledNodes} nodes`} throttled.`,
    );
  }
  return lines.join("\n");
}

function accountLines(account: Account): string[] {
  const { standing, avoidedCo2Grams: avoided } = account;
  return [
    columns([
      ["energy", energy(account.kwh), methods(account)],
      ["of it renewable", energy(account.renewableKwh), percent(standing.renewableEnergy)],
      ["carbon", `${account.co2Grams.toFixed(3)} g CO2e`, ""],
      [
        "the same work in a data centre",
        account.baselineKwh > 0 ? energy(account.baselineKwh) : "no paid work to compare with yet",
        account.baselineKwh > 0 ? `${account.baselineCo2Grams.toFixed(3)} g CO2e, ${account.creditedUnits} units` : "",
      ],
      ["efficiency gain", percent(standing.efficiencyGain), ""],
      ["carbon avoided", avoided === undefined ? "–" : `${avoided.toFixed(3)} g`, percent(standing.carbonReduction)],
      ["work", `${account.unitHours.toFixed(3)} unit-hours`, `${percent(standing.idleHarvested)} on idle machines`],
      ["average power of a node", `${account.averageWatts} W`, ""],
    ]),
    ...(account.baselineKwh > 0 && avoided === undefined
      ? ["", `No saving is claimed: ${whyNotClaimed(account.baselineFit)}.`]
      : []),
    "",
    "Carbon is SCI's operational part, by the grid's yearly average; its functional unit is a paid unit of a task. Left out: the embodied part",
    "(task:status has it), networks, storage elsewhere, and the chain.",
  ];
}

/** How the energy was measured, so that an estimate never passes for a measurement. */
function methods({ kwh, raplKwh, nvmlKwh, estimatedKwh }: Account): string {
  if (kwh === 0) return "nothing reported";
  const parts = [
    [raplKwh, "measured by RAPL"],
    [nvmlKwh, "measured by NVML"],
    [estimatedKwh, "estimated"],
  ] as const;
  const used = parts.filter(([part]) => part > 0);
  if (used.length === 1) return used[0]?.[1] ?? "";
  return used.map(([part, words]) => `${((part / kwh) * 100).toFixed(0)} % ${words}`).join(", ");
}

function energy(kwh: number): string {
  if (kwh >= 1) return `${kwh.toFixed(2)} kWh`;
  if (kwh >= 0.001) return `${(kwh * 1000).toFixed(2)} Wh`;
  return `${(kwh * 3_600_000).toFixed(0)} J`;
}

function percent(value: number | undefined): string {
  return value === undefined ? "–" : `${value.toFixed(1)} %`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
