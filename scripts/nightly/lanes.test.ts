import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { parse } from "yaml";

import { ROOT } from "../check/files.ts";
import { commandOf, LANES, nameOf } from "./lanes.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

test("every lane has a script, a name of its own, a place in the workflow, and a row in the page", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const names = LANES.map(nameOf);
  assert.deepEqual([...new Set(names)], names);
  for (const { script } of LANES) assert.ok(scripts[script] !== undefined, script);
  const { jobs } = parse(read(".github/workflows/nightly.yml")) as {
    jobs: { nightly: { strategy: { matrix: { lane: string[] } } } };
  };
  assert.deepEqual(jobs.nightly.strategy.matrix.lane, names);
  const page = read("docs/reference/assurance.md").split("## Nightly")[1]?.split("\n## ")[0] ?? "";
  const rows = [...page.matchAll(/^\| `([^`]+)` \| (\d+) \|/gm)].map(([, name, minutes]) => [name, Number(minutes)]);
  assert.deepEqual(
    rows,
    LANES.map((lane) => [nameOf(lane), lane.minutes]),
  );
});

test("a lane's command has the day's seed where it takes one", () => {
  const [chaos, invariants] = ["chaos", "invariants"].map((name) => LANES.find((lane) => nameOf(lane) === name));
  assert.ok(chaos && invariants);
  assert.deepEqual(commandOf(chaos, 20_000).args.slice(-2), ["--seed", "20000"]);
  const { environment } = commandOf(invariants, 20_000);
  assert.ok(Number(environment["DRMP_INVARIANT_RUNS"]) >= 1024 && Number(environment["DRMP_INVARIANT_DEPTH"]) >= 256);
  assert.equal(environment["DRMP_FUZZ_SEED"], "0x4e20");
});

test("the lane that upgrades agents has the history that holds the version before", () => {
  assert.match(
    read(".github/workflows/nightly.yml"),
    /fetch-depth: \$\{\{ matrix\.lane == 'soak' && '0' \|\| '1' \}\}/,
  );
  assert.ok(LANES.some(({ script, args }) => script === "soak" && args?.includes("--no-upgrade") !== true));
});
