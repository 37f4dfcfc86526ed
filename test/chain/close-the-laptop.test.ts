import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import type { LeaseStatus } from "@verai/client/enums";
import { until } from "@verai/devnet/programs";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { NAMES, TwoAgents } from "../support/two-agents.ts";

const SPEC = {
  version: 1,
  name: "without its developer",
  trainer: "digits",
  args: ["--epochs", "2", "--train", "400", "--test", "100", "--pace", "100"],
  env: {},
  resources: { cpus: 1, memoryMiB: 512 },
  checkpoint: { intervalSeconds: 2 },
  outputs: ["model.bin", "metrics.json"],
  timeouts: { unitSeconds: 600, graceSeconds: 5 },
};
const TERMS = {
  ...{ units: 1, maxPrice: "0.02", classes: { "cpu/eu": "0" } },
  ...{ checkpointInterval: 2, replicas: 1, within: 3600 },
};

/** What a task needs, and what it leaves, is held by nodes: on a real chain with two real agents. */
describe("a developer who goes away", function () {
  this.timeout(600_000);
  let network: TwoAgents;

  before(async () => {
    network = await TwoAgents.open();
  });
  after(() => network.close());

  async function status(task: number): Promise<LeaseStatus | undefined> {
    const { reader } = network.client;
    return (await reader.leases(await reader.block())).findLast(({ taskId }) => taskId === task)?.status;
  }
  const reaches = (task: number, wanted: LeaseStatus, said: () => string) =>
    until(`task ${String(task)} is ${wanted}`, async () => (await status(task)) === wanted, said);
  const place = (name: string) => join(network.bench.folder, name);

  it("a program that follows is killed and started again: the same task, and its results", async () => {
    const { bench } = network;
    const config = await bench.write("developer.json", {
      network: bench.network,
      key: { testAccount: 4 },
      dataDir: place("developer"),
      store: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    });
    const files = ["--spec", await bench.write("s.json", SPEC), "--terms", await bench.write("t.json", TERMS)];
    const train = () => bench.start(["developer/main.ts", "train", "--config", config, ...files]);
    const first = train();
    await reaches(1, "active", () => first.said() + network.said());
    first.child.kill("SIGKILL");
    await first.exit;
    const second = train();
    await until("it follows", () => second.said().includes('"progress"'), second.said);
    second.child.kill("SIGKILL");
    await second.exit;
    const third = bench.start(["developer/main.ts", "follow", "--config", config, "--task", "1"]);
    expect(await third.exit, third.said() + network.said()).to.equal(0);
    expect(await network.client.contracts.tasks.taskCount()).to.equal(1n);
    expect(await readdir(join(place("developer"), "results", "task-1", "lease-1", "unit-0"))).to.include("model.bin");
  });

  it("its spec is held before the command returns, and its result while the node that made it is gone", async () => {
    const { bench } = network;
    const terms = ["--classes", "cpu/eu", "--units", "1", "--max-price", "0.02", "--interval", "2s", "--within", "1h"];
    const spec = await bench.write("spec.json", SPEC);
    const submitting = network.drmp(
      ...["task", "submit", "--spec", spec, ...terms, "--store", place("laptop"), "--submission", "2"],
      ...["--detach", "--yes", "--json"],
    );
    expect(await submitting.exit, submitting.said() + network.said()).to.equal(0);
    const last = submitting.said().trim().split("\n").at(-1) ?? "";
    expect((JSON.parse(last) as { held: number[] }).held).to.have.length(1);
    // The laptop with all that was on it.
    await rm(place("laptop"), { recursive: true });

    await reaches(2, "delivered", () => network.said());
    const { reader } = network.client;
    const lease = (await reader.leases(await reader.block())).find(({ taskId }) => taskId === 2);
    const by = (lease?.nodeId ?? 0) - 1;
    const [worker, other] = [network.agents[by], network.agents[1 - by]];
    if (!lease?.result) throw new Error("no result");
    const cid = fromChainCid(lease.result).toString();
    const copied = () =>
      (other?.said() ?? "").split("\n").some((line) => line.includes(cid) && line.includes("replica"));
    await until(`${NAMES[1 - by] ?? ""} has a copy`, copied, () => network.said());
    worker?.child.kill("SIGKILL");
    await worker?.exit;

    const out = place("fetched");
    const fetching = network.drmp(
      ...["task", "result", "--task", "2", "--out", out, "--accept", "--yes", "--store", place("another")],
    );
    expect(await fetching.exit, fetching.said() + network.said()).to.equal(0);
    const files = await readdir(out, { recursive: true });
    expect(files.filter((path) => /unit-0\/(model\.bin|metrics\.json)$/.test(path))).to.have.length(2);
    await reaches(2, "paid", () => network.said());
  });
});
