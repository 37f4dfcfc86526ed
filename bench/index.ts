/**
 * How long the indexer takes for a year of history, and its pages to answer: `npm run bench:index -- [--quick] [--json] [--write]`.
 *
 *     --quick    a fiftieth of the leases
 *     --json     print JSON instead of a table
 *     --write    put the table of a whole run into docs/reference/benchmarks.md
 *
 * A year of 1,000,000 leases with their rounds, checkpoints, failures, deliveries and payments, and reports of 2,000 nodes
 * twice a day, is served by an endpoint of ours in a process of its own, which limits, cuts, throttles and lags as public ones
 * do (bench/history/endpoint.ts). The real indexer reads it over HTTP into SQLite. Then every page is asked with every filter.
 * Exits with 1 if a goal is missed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openProvider } from "@verai/client/provider";
import { isRetryable } from "@verai/errors/drmp-error";
import { chainOf } from "@verai/indexer/chain";
import { openDatabase } from "@verai/indexer/database/open";
import { Indexer } from "@verai/indexer/indexer";
import { ADDRESSES } from "@verai/indexer/testing/encode";
import { requestsOf } from "@verai/indexer/testing/requests";
import { askAll } from "./history/queries.ts";
import { CHAIN_ID, yearOf } from "./history/size.ts";
import { type BenchFlags, benchCommand } from "./options.ts";
import { load, machine, markdownTable, writeSection } from "./report.ts";

const flags = benchCommand("bench:index", "How long a year of history takes, and its pages", "a fiftieth of the leases")
  .parse()
  .opts<BenchFlags>();
const say = (text: string): void => {
  if (!flags.json) process.stderr.write(`${text}\n`);
};

/** Leases of a year, minutes for them, and milliseconds for a page. */
const LEASES = flags.quick ? 20_000 : 1_000_000;
const GOAL_S = flags.quick ? 600 / 50 : 600;
const GOAL_MS = 100;

const folder = await mkdtemp(join(tmpdir(), "drmp-bench-index-"));
const endpoint = spawn(
  process.execPath,
  [fileURLToPath(new URL("history/endpoint.ts", import.meta.url)), String(LEASES)],
  {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  },
);
if (!endpoint.stdout) throw new Error("The endpoint has no output.");
const [port] = (await once(endpoint.stdout, "data")) as [Buffer];
const provider = await openProvider(`http://127.0.0.1:${String(port).trim()}`, { chainId: CHAIN_ID });
const file = join(folder, "history.db");
const database = await openDatabase({ kind: "sqlite", file }, "bench");
let [events, told] = [0, 0];
const indexer = new Indexer({
  ...{ chain: chainOf(provider), database, addresses: ADDRESSES, first: 0 },
  onWritten: (written) => {
    events += written.events;
    if (events - told < 500_000) return;
    told = events;
    say(`${String(events)} events, block ${String(written.position.number)}`);
  },
});
say(`a year with ${String(LEASES)} leases`);
const busy = load();
const [started, cpu] = [performance.now(), process.cpuUsage()];
let retries = 0;
while (!indexer.standing.atHead) {
  try {
    await indexer.look();
  } catch (error) {
    if (!isRetryable(error) || retries > 1_000) throw error;
    retries += 1;
    await delay(200);
  }
}
const seconds = (performance.now() - started) / 1000;
const used = process.cpuUsage(cpu);
const peak = process.resourceUsage().maxRSS / 1024;
const size = yearOf(LEASES);
const requests = requestsOf(size);
say(`${String(requests.length)} requests of pages`);
const took = await askAll(database, () => indexer.standing, requests, 5);
// Of each request the median of its five: what else the machine did meanwhile is not the query's.
const medians = [...Map.groupBy(took, ({ path }) => path)]
  .map(([path, tries]) => ({ path, ms: tries.map(({ ms }) => ms).sort((a, b) => a - b)[tries.length >> 1] ?? 0 }))
  .sort((a, b) => a.ms - b.ms);
const at = (share: number) => medians[Math.min(medians.length - 1, Math.floor(medians.length * share))];
const [p50, slowest] = [at(0.5)?.ms ?? 0, at(1) ?? { path: "", ms: 0 }];
const worst = took.reduce((most, { ms }) => Math.max(most, ms), 0);
const figures = [
  { what: "index the year", value: seconds, goal: GOAL_S, unit: "s" },
  { what: "the slowest page of all, with its filter", value: slowest.ms, goal: GOAL_MS, unit: "ms" },
];
const missed = figures.filter(({ value, goal }) => value > goal);
const more = {
  leases: LEASES,
  events,
  eventsPerSecond: events / seconds,
  cpuSeconds: (used.user + used.system) / 1e6,
  peakMiB: peak,
  diskMiB: (await stat(file)).size / 2 ** 20,
  tries: retries,
  requests: took.length,
  p50Ms: p50,
  slowest: slowest.path,
  worstMs: worst,
};
if (flags.json) process.stdout.write(`${JSON.stringify({ ok: missed.length === 0, figures, ...more })}\n`);
else {
  for (const { what, value, goal, unit } of figures) {
    const mark = value > goal ? "MISSED" : "ok";
    process.stdout.write(`${mark.padEnd(7)} ${what}: ${value.toFixed(1)} ${unit} (goal ${String(goal)} ${unit})\n`);
  }
  for (const [name, value] of Object.entries(more)) {
    const shown = typeof value === "number" ? String(Math.round(value * 10) / 10) : JSON.stringify(value);
    process.stdout.write(`        ${name}: ${shown}\n`);
  }
}
// A part of a year says nothing about a year: only the whole is kept.
if (flags.write && !flags.quick) writeSection("bench:index", table());
process.exitCode = missed.length === 0 ? 0 : 1;
await database.close();
provider.destroy();
endpoint.disconnect();
await rm(folder, { recursive: true });

function table(): string {
  const count = (value: number): string => Math.round(value).toLocaleString("en");
  const rows = [
    ...figures.map(({ what, value, goal, unit }) => [
      `**${what}**`,
      `${unit === "s" ? count(value) : value.toFixed(1)} ${unit} (goal: ${String(goal)})`,
    ]),
    ["a page, median of all pages and filters", `${p50.toFixed(1)} ms`],
    ["the slowest answer of all", `${worst.toFixed(1)} ms`],
    ["leases, events", `${count(LEASES)}, ${count(events)}`],
    ["events a second", count(more.eventsPerSecond)],
    ["processor time of the indexer", `${count(more.cpuSeconds)} s`],
    ["its memory at most, with the answers", `${count(peak)} MiB`],
    ["the database's file", `${count(more.diskMiB)} MiB`],
    ["requests of pages", count(took.length)],
  ];
  return [
    `${machine()}; load before it began ${busy.toFixed(1)}.`,
    "",
    markdownTable([{ heading: "" }, { heading: "", align: "right" }], rows),
  ].join("\n");
}
