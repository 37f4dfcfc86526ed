import { markdownTable } from "../report.ts";
import { ECONOMY, GRAIN, SURPLUS } from "./economy.ts";
import type { Played, Result } from "./tournament.ts";
import { EPISODE } from "./world.ts";

/** The game's tables, as Markdown. */
export function marketReport(result: Result, seed: number): string {
  const right = (heading: string) => ({ heading, align: "right" as const });
  const columns = [
    { heading: "strategy" },
    ...["profit", "twin", "gain", "tolerance", "Mgas", "works", "others lose", "cost", "delay", "missing"].map(right),
    { heading: "verdict" },
  ];
  return [
    `${String(result.episodes)} episodes, seed ${String(seed)}, ${String(result.tried)} strategies learnt. Each has`,
    `${String(EPISODE.nodes)} honest nodes of ${String(EPISODE.capacity)} units, ${String(EPISODE.developers)} developers, a keeper, and a`,
    "player of equal stake and capacity with a task of its own. Tasks ask for audits as they do by default. BASE's parameters;",
    `a unit is worth ${String(ECONOMY.worth)} VER, computing it costs ${String(ECONOMY.compute)}, a million gas ${String(ECONOMY.gas * 1e6)}.`,
    "",
    "All figures are means an episode, in VER but for gas, hours and percent. *Twin*: the honest contributor of equal stake in the",
    "same episodes. *Gain*: profit above the best honest play in the same worlds; *tolerance*: what it must exceed, chance at",
    `95 % and one unit's margin (${GRAIN.toFixed(2)}). *Works*: units that it serves, as a share of what honest work serves. *Others lose*`,
    "and *cost*: what all others are worse off by, and what the player does without, against the same share of honest work and staying",
    `away for the rest; others may lose as much as it costs, chance and one unit's surplus (${SURPLUS.toFixed(2)}) apart. *Delay*: hours`,
    "by which honest units are later; *missing*: percent never delivered.",
    "",
    markdownTable(columns, [...result.honest, ...result.scripted].map(cells)),
    markdownTable(columns, result.learnt.map(cells)),
    ...(result.unaudited.length === 0
      ? []
      : [
          "What developers choose who turn audits off (`--audits 0`), which nothing here guarantees, held against honest work there; above stands",
          "the same strategy where audits are on:",
          "",
          markdownTable(
            columns,
            result.unaudited.map((played) => [...cells(played).slice(0, -1), "without the guarantee"]),
          ),
        ]),
    ...result.learnt.map(({ name, aim }) => `- ${name}: \`${aim}\``),
    "",
  ].join("\n");
}

/** A row's verdict in words. */
export function verdictOf({ verdict }: Played): string {
  const words = [...(verdict.earnsMore ? ["earns more"] : []), ...(verdict.spoils ? ["spoils for less"] : [])];
  return words.length === 0 ? "does not pay" : `**${words.join(", ")}**`;
}

function cells(played: Played): string[] {
  const { verdict } = played;
  const { profit, twin, gain, tolerance, gas, harm, delay, undelivered } = verdict;
  return [
    played.name,
    ...[profit, twin, gain].map(money),
    Number.isFinite(tolerance) ? money(tolerance) : "",
    (gas / 1e6).toFixed(1),
    `${(100 * harm.share).toFixed(0)} %`,
    money(harm.harm),
    money(harm.cost),
    delay.toFixed(2),
    undelivered.toFixed(1),
    played.name.startsWith("honest") ? "" : verdictOf(played),
  ];
}

function money(value: number): string {
  return value.toFixed(2);
}
