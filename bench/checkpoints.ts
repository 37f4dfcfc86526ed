/**
 * Transfer of checkpoints against the limits of the machine: `npm run bench:checkpoints -- [--quick] [--json] [--write]`.
 *
 *     --quick    one small size, under a minute
 *     --json     print JSON instead of a table
 *     --write    put the table and the chart into docs/reference/benchmarks.md
 *
 * Servers and clients are processes of their own on the loopback. Exits with 1 if bytes or CIDs are not what they must
 * be, or if pulling 1 GiB, sealed or not, is slower than half of what plain HTTP to a file with SHA-256 is, or pulling anything takes
 * more than 300 MB.
 */
import { loadavg } from "node:os";

import { interruptible } from "@verai/process/program";
import { type BenchFlags, benchCommand } from "./options.ts";
import { lineChart } from "./plot.ts";
import { load, machine, markdownTable, writePicture, writeSection } from "./report.ts";
import { BASELINE, PULL, SEALED, WAYS } from "./transfer/ways.ts";
import { measureSize } from "./transfer/rounds.ts";
import type { Measurement, Size } from "./transfer/rounds.ts";

/** What the project promises. */
const LEAST_SHARE = 0.5;
const MOST_MEGABYTES = 300;

/** Smaller sizes say more about the start of processes. */
const JUDGED_MEBIBYTES = 1024;

const QUICK: readonly Size[] = [{ mebibytes: 64, rounds: 3 }];
const FULL: readonly Size[] = [
  { mebibytes: 64, rounds: 3 },
  { mebibytes: 256, rounds: 3 },
  { mebibytes: 1024, rounds: 3 },
];

const flags = benchCommand(
  "bench:checkpoints",
  "Transfer of checkpoints against the limits of this machine",
  "one small size, under a minute",
)
  .parse()
  .opts<BenchFlags>();
const interrupted = interruptible(() => undefined);

const busy = load();
const measurements: Measurement[] = [];
try {
  for (const size of flags.quick ? QUICK : FULL) {
    const say = (words: string): void => {
      if (!flags.json) process.stderr.write(`${words}\n`);
    };
    measurements.push(...(await measureSize(size, interrupted, say)));
  }
} catch (error) {
  if (!interrupted.aborted) throw error;
  process.stderr.write("interrupted; all data is deleted\n");
  process.exit();
}
const wrong = shortfalls();
process.stdout.write(
  flags.json
    ? `${JSON.stringify({ machine: machine(), load: [busy, ...loadavg()], measurements, wrong })}\n`
    : `${report()}\n`,
);
if (flags.write) writeSection("bench:checkpoints", `${report()}\n${chart()}`);
for (const each of wrong) process.stderr.write(`${each}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function of(way: string, mebibytes: number): Measurement | undefined {
  return measurements.find((each) => each.way === way && each.mebibytes === mebibytes);
}

function shortfalls(): string[] {
  const judged = measurements.filter(({ way }) => way === PULL || way === SEALED);
  const slow = judged
    .filter(({ mebibytes }) => mebibytes === JUDGED_MEBIBYTES)
    .flatMap(({ way, mebibytes, speed }) => {
      const share = speed / (of(BASELINE, mebibytes)?.speed ?? speed);
      return share >= LEAST_SHARE ? [] : [`${mebibytes} MiB: "${way}" has ${percent(share)} of ${BASELINE}.`];
    });
  const large = judged.flatMap(({ mebibytes, peak }) =>
    (peak * 2 ** 20) / 1e6 <= MOST_MEGABYTES
      ? []
      : [`Pulling ${mebibytes} MiB takes ${peak.toFixed(0)} MiB of memory.`],
  );
  return [...slow, ...large];
}

function report(): string {
  const rows = measurements.map((each, i) => {
    const { way, mebibytes, rounds, speed, least, most, processor, peak, serverPeak } = each;
    const baseline = of(BASELINE, mebibytes)?.speed;
    return [
      measurements[i - 1]?.mebibytes === mebibytes ? "" : `${mebibytes} MiB`,
      way,
      `${speed.toFixed(0)} MiB/s`,
      rounds > 1 ? `${least.toFixed(0)}–${most.toFixed(0)}` : "",
      baseline === undefined ? "" : percent(speed / baseline),
      `${((processor / mebibytes) * 1.024).toFixed(2)} s`,
      `${peak.toFixed(0)} MiB`,
      serverPeak === undefined ? "" : `${serverPeak.toFixed(0)} MiB`,
    ];
  });
  const right = { align: "right" } as const;
  return [
    `${machine()}; load ${busy.toFixed(1)} before the run, ${load().toFixed(1)} after it. Medians of the rounds, in each of`,
    "which every way had its turn; *range* is from the slowest to the fastest, *share* is relative to plain HTTP to a file",
    "with SHA-256 (pulling also stores what comes, and what is sealed is written once more as it is opened, durably),",
    "*processor* the client's processor time for 1 GiB, *memory* the maximum resident size of its process, *server*",
    "the same of the servers. Made by `npm run bench:checkpoints -- --write`.",
    "",
    markdownTable(
      [
        { heading: "size" },
        { heading: "way" },
        { heading: "speed", ...right },
        { heading: "range", ...right },
        { heading: "share", ...right },
        { heading: "processor", ...right },
        { heading: "memory", ...right },
        { heading: "server", ...right },
      ],
      rows,
    ),
  ].join("\n");
}

function chart(): string {
  const series = WAYS.map(({ name }) => ({
    name,
    points: measurements.filter(({ way }) => way === name).map(({ mebibytes, speed }) => [mebibytes, speed] as const),
  })).filter(({ points }) => points.length > 1);
  const svg = lineChart({
    title: "Transfer of checkpoints on the loopback",
    subtitle: machine(),
    x: { label: "size, MiB", log: true },
    y: { label: "MiB/s", include: [0] },
    series,
  });
  return writePicture("bench-checkpoints.svg", svg, "Speed of each way of transfer by size");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
