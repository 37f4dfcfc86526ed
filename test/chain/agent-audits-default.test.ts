import { join } from "node:path";

import { expect } from "chai";

import { until } from "@verai/devnet/programs";
import { paidAuditChance } from "@verai/protocol/money/audit-fee";
import { TwoAgents } from "../support/two-agents.ts";

/** A program that the protocol vouches for, with numbered checkpoints. */
const SPEC = {
  version: 1,
  name: "audited by default",
  trainer: "digits",
  args: ["--epochs", "2", "--train", "400", "--test", "100", "--pace", "100"],
  env: {},
  resources: { cpus: 1, memoryMiB: 512 },
  checkpoint: { intervalSeconds: 2, everySteps: 5 },
  outputs: ["model.bin", "metrics.json"],
  timeouts: { unitSeconds: 600, graceSeconds: 5 },
};
const TERMS = {
  ...{ units: 1, maxPrice: "0.02", classes: { "cpu/eu": "0" } },
  ...{ checkpointInterval: 4, replicas: 1, within: 3600 },
};

/** A network as small as can be: two nodes, and no keeper that opens epochs. */
describe("audits by default on a small network", function () {
  this.timeout(600_000);
  let network: TwoAgents;

  before(async () => {
    network = await TwoAgents.open();
  });
  after(() => network.close());

  it("cost nothing more, and hold work up no longer than the dispute window", async () => {
    const { bench, client } = network;
    const { reader, contracts, provider } = client;
    const config = await bench.write("developer.json", {
      network: bench.network,
      key: { testAccount: 4 },
      dataDir: join(bench.folder, "developer"),
      store: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    });
    const files = ["--spec", await bench.write("s.json", SPEC), "--terms", await bench.write("t.json", TERMS)];
    const check = bench.start(["developer/main.ts", "check", "--config", config, ...files]);
    expect(await check.exit, check.said()).to.equal(0);
    expect(check.said()).to.match(/audits +each segment with 1\.33 % at least/);

    const train = bench.start(["developer/main.ts", "train", "--config", config, ...files]);
    const said = () => train.said() + network.said();
    const waits = () => Promise.resolve(train.said().includes("the result waits for audits"));
    await until("the result is delivered, and waits for a seed", waits, said);
    const block = await reader.block();
    const { feeBps } = await reader.parameters(block);
    expect(await reader.task(block, 1)).to.include({ auditChance: paidAuditChance(feeBps), feeBps });
    const [lease] = await reader.leases(block, 1);
    expect(lease?.status).to.equal("delivered");
    // Its last states are on the chain, with a trace.
    expect((await reader.checkpoints(block, [1])).get(1)?.progress).to.equal(10_000);
    expect(await contracts.audits.isExcluded(1)).to.equal(false);

    await provider.send("evm_increaseTime", [(lease?.due ?? 0) - block.timestamp]);
    expect(await train.exit, said()).to.equal(0);
    expect((await reader.task(await reader.block(), 1))?.paidUnits).to.equal(1);
  });
});
