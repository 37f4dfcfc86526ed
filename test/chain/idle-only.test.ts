import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

import { expect } from "chai";

import { readEnergy } from "@verai/client/telemetry";
import { until } from "@verai/devnet/programs";
import { OneAgent, training } from "../support/one-agent.ts";

/** Somebody at a terminal of this machine: a real pseudo-terminal, which is typed into. */
class Owner {
  readonly #terminal: ChildProcess;

  constructor() {
    this.#terminal = spawn("script", ["-qfc", "cat", "/dev/null"], { stdio: ["pipe", "ignore", "ignore"] });
  }

  type(): void {
    this.#terminal.stdin?.write("back again\n");
  }

  leave(): void {
    this.#terminal.kill();
  }
}

describe("an agent that has the machine only while its owner does not use it", () => {
  let one: OneAgent;
  before(function () {
    if (existsSync("/dev/pts") && spawnSync("script", ["--version"]).status === 0) return;
    process.stdout.write("    (skipped: pseudo-terminals and the program `script` of util-linux are needed)\n");
    this.skip();
  });
  beforeEach(async () => {
    one = await OneAgent.open();
  });
  afterEach(async () => {
    await one.close();
  });

  it("waits for quiet, hands its work over when the owner comes back, and accounts the hours that it harvested", async () => {
    const { client } = one;
    const agent = await one.start({
      // Other programs' load is the test machine's own business: only typing counts here.
      idleOnly: { othersLoad: 1, idleAfter: 3 },
      telemetry: { cpus: 64, sampleEvery: 1, selfPostAfter: 0 },
    });
    await until("it says why it waits", () => agent.said().includes("the machine's owner uses it"), agent.said);
    await until("the node is not offered", async () => (await one.node())?.status === "draining", agent.said);
    await until("it is offered after the quiet", async () => (await one.node())?.status === "active", agent.said);
    expect(agent.said()).to.include("the owner is away");
    await one.leased(training(3000));
    const posted = await until("a checkpoint is posted", () => one.checkpoint(), agent.said);
    const owner = new Owner();
    try {
      // A terminal's time of input may lag by some seconds: who types goes on typing.
      const given = await until(
        "the lease is given back",
        async () => {
          owner.type();
          const found = await one.lease();
          return found?.status === "released" && found;
        },
        agent.said,
      );
      expect(agent.said()).to.include("the owner uses the machine: giving the work back");
      const last = await one.checkpoint();
      expect(last?.sequence).to.be.at.least(posted.sequence);
      expect(last?.progress).to.be.at.least(posted.progress);
      const { reader } = client;
      const task = await reader.task(await reader.block(), given.taskId);
      expect([task?.status, task?.openUnits], "the work is in the queue again").to.deep.equal(["open", 1]);
      const node = await until(
        "the node takes no more",
        async () => {
          owner.type();
          const found = await one.node();
          return found?.listing === undefined && found;
        },
        agent.said,
      );
      expect(node.cooldownUntil, "no penalty").to.equal(0);
    } finally {
      owner.leave();
    }
    const energy = await until(
      "the hours are on chain",
      async () => {
        const found = await readEnergy(client.reader, await client.reader.block(), "node", 1);
        return found.idleUnitSeconds > 0n && found;
      },
      agent.said,
    );
    expect(energy.idleUnitSeconds <= energy.unitSeconds, "no more than it has worked").to.equal(true);
    expect(energy.idleBps > 0n).to.equal(true);
    await until("the machine is offered again after quiet", async () => (await one.node())?.listing, agent.said);
  });
});
