import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { findPython } from "@verai/devnet/playground/python";
import { ROOT } from "@verai/devnet/processes";
import { until } from "@verai/devnet/programs";
import { TwoAgents } from "../support/two-agents.ts";

/** What must not be found anywhere that is not the developer's, or a node's own work. */
const MARK = "0.1234567891234";

/**
 * `drmp run` with a Python script, from an empty store to the trained weights: on a real chain, with two real agents, of which one
 * runs the script and the other holds what the task needs and what it leaves.
 */
describe("drmp run", function () {
  this.timeout(600_000);
  let network: TwoAgents;
  let bench: TwoAgents["bench"];

  before(async function () {
    const interpreter = await findPython();
    if (interpreter === undefined) return this.skip();
    network = await TwoAgents.open({ python: { interpreter } });
    bench = network.bench;
    await mkdir(join(bench.folder, "code"));
    await cp(join(ROOT, "python", "examples", "plain_python.py"), join(bench.folder, "code", "train.py"));
    // The package itself, which people install, is of the standard library alone.
    await cp(join(ROOT, "python", "src", "drmp"), join(bench.folder, "code", "drmp"), {
      recursive: true,
      filter: (path) => !path.includes("__pycache__"),
    });
    const points = Array.from({ length: 40 }, (_, i) => `${String(i % 2)},${String((i % 2) * 2 - 1)},${MARK}`);
    await writeFile(join(bench.folder, "points.csv"), points.join("\n"));
  });

  after(() => network.close());

  async function run(store: string, task: number, ...more: string[]): Promise<Record<string, unknown>> {
    const out = join(bench.folder, `results-${String(task)}`);
    const terms = ["--class", "cpu/eu", "--units", "1", "--max-price", "0.02", "--interval", "2s", "--within", "1h"];
    const places = ["--store", join(bench.folder, store), "--out", out, "--submission", String(task)];
    const script = ["run", join(bench.folder, "code", "train.py"), "--data", join(bench.folder, "points.csv")];
    const training = network.drmp(...script, ...terms, ...places, "--args", "--pace 0.4", "--yes", "--json", ...more);
    const isLeased = async () =>
      (await network.client.reader.leases(await network.client.reader.block(), task)).length > 0;
    await until("the task is leased", isLeased, training.said);
    const logs = network.drmp(
      "task",
      "logs",
      "--follow",
      "--task",
      String(task),
      "--store",
      join(bench.folder, "logs"),
    );
    expect(await training.exit, training.said() + network.said()).to.equal(0);
    expect(await logs.exit, logs.said()).to.equal(0);
    expect(logs.said(), "logs, as they are written").to.match(/^unit 0 \| epoch 3: loss [\d.]+$/m);
    const line = training
      .said()
      .split("\n")
      .findLast((each) => each.startsWith("{"));
    const result = JSON.parse(
      await readFile(join(out, `task-${String(task)}`, `lease-${String(task)}`, "unit-0", "result.json"), "utf8"),
    ) as { accuracy: number; weights: number[] };
    expect(result.accuracy).to.equal(1);
    expect(result.weights).to.have.length(3);
    return JSON.parse(line ?? "{}") as Record<string, unknown>;
  }

  /** Whether any block of an agent's store has the mark: the digits of the data, or the words of the script. */
  async function finds(name: string): Promise<boolean> {
    const folder = join(bench.folder, name, "store", "blocks");
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      if (bytes.includes(MARK) || bytes.includes("Logistic regression") || bytes.includes("result.json")) return true;
    }
    return false;
  }

  it("of a confidential task nodes store nothing that can be read, and its developer gets what can", async () => {
    const { held, status } = await run("sealed", 1, "--confidential");
    expect(status).to.equal("ended");
    expect(held).to.be.an("array").with.length(1);
    for (const name of ["ann", "ben"]) expect(await finds(name), name).to.equal(false);
  });

  it("packs a script with its folder and data, trains it, and fetches what it leaves", async () => {
    const { held, paid } = await run("open", 2);
    expect(held).to.be.an("array").with.length(1);
    expect(paid).to.equal(1);
    // So the search above finds what there is.
    expect(await finds("ann")).to.equal(true);
  });
});
