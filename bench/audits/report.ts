import { markdownTable } from "../report.ts";
import type { Best } from "./gain.ts";
import { type Cell, type Goal, pooled } from "./judge.ts";

/** The tables of a run, as Markdown. */
export function auditReport(cells: readonly Cell[], goals: readonly Goal[], best: Best, seed: number): string {
  const right = (heading: string) => ({ heading, align: "right" as const });
  const honest = cells.filter(({ name }) => name === "honest");
  const cheats = cells.filter(({ name }) => name !== "honest");
  const transactions = cells.reduce((sum, cell) => sum + cell.transactions, 0);
  const missed = goals.filter(({ met }) => !met);
  return [
    `Seed ${String(seed)}, ${transactions.toLocaleString("en")} transactions on the deployed contracts.`,
    "",
    markdownTable(
      [
        { heading: "cheat" },
        ...[
          "segments",
          "chance",
          "caught",
          "runs",
          "within",
          "counted",
          "predicted",
          "panels",
          "rounds",
          "gain, VER",
        ].map(right),
      ],
      cheats.map(cheatRow),
    ),
    markdownTable(
      [
        { heading: "runs of cheats that are new, all kinds: caught within" },
        ...["counted", "predicted", "error"].map(right),
      ],
      pooled(cheats).map((row) => [
        `${String(row.segments)} segments`,
        ...[row.counted, row.predicted, row.error].map(percent),
      ]),
    ),
    ...honest.map(honestTable),
    `At ${best.looked.toLocaleString("en")} combinations of price and size of a segment, with a third of the verifiers its own, a cheat expects`,
    `${best.convicted.toFixed(3)} of what the segment claims at best if it opens its trace, ${best.refusing.toFixed(3)} if it refuses.`,
    "",
    missed.length === 0
      ? `All ${String(goals.length)} goals are met.`
      : `**Missed: ${missed.map(({ what }) => what).join("; ")}.**`,
    "",
  ].join("\n");
}

function cheatRow(cell: Cell): string[] {
  const row = cell.rows.at(-1);
  return [
    cell.name,
    cell.decided.toLocaleString("en"),
    percent(cell.chance),
    percent(cell.rate),
    String(cell.runs),
    String(row?.segments ?? ""),
    percent(row?.counted ?? 0),
    percent(row?.predicted ?? 0),
    String(cell.panels),
    cell.panels === 0 ? "" : (cell.panelRounds / cell.panels).toFixed(1),
    cell.gain.toFixed(2),
  ];
}

function honestTable(cell: Cell): string {
  const { kills, outages, drains, moves, reorganisations, withheld } = cell.counts;
  const audits = Object.entries(cell.audits).map(([status, count]) => `${String(count)} ${status}`);
  const rows: [string, string][] = [
    ["segments", cell.decided.toLocaleString("en")],
    ["drawn", String(cell.drawn)],
    ["audits", audits.join(", ")],
    [
      "panels, and rounds of one on average",
      `${String(cell.panels)}, ${(cell.panelRounds / Math.max(1, cell.panels)).toFixed(1)}`,
    ],
    ["processes killed", String(kills)],
    ["machines gone for longer than a step", String(outages)],
    ["drains, moves", `${String(drains)}, ${String(moves)}`],
    ["blocks undone and mined otherwise", String(reorganisations)],
    ["segments whose states holders withheld", String(withheld)],
    ["honest nodes found wrong", String(cell.wronged)],
    ["of those gone for longer than a step", `${String(cell.wrongedByOutage)} of ${String(cell.away)}`],
    ["checkpoints that were held up, deliveries not paid", `${String(cell.stalled)}, ${String(cell.unpaid)}`],
    ["longest audit", `${(cell.longestAudit / 3_600).toFixed(1)} h`],
  ];
  return markdownTable(
    [{ heading: "honest work, a third of the verifiers colluding" }, { heading: "", align: "right" }],
    rows,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
