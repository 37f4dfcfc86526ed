import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { specBytes } from "@verai/executor/spec";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import { until } from "@verai/devnet/programs";
import { OneAgent, training } from "../support/one-agent.ts";

describe("an agent in trouble", () => {
  let one: OneAgent;
  let bench: OneAgent["bench"];
  let client: OneAgent["client"];
  beforeEach(async () => {
    one = await OneAgent.open();
    ({ bench, client } = one);
  });
  afterEach(async () => {
    await one.close();
  });

  const written = async (dataDir: string) => (await one.unitLog(dataDir)).split(" written").length - 1;

  for (const { what, bytes, says } of [
    { what: "cannot be fetched", bytes: undefined, says: "cannot be fetched" },
    { what: "does not validate", bytes: new TextEncoder().encode('{"version":1}'), says: "is missing" },
    {
      what: "wants what this node cannot run",
      bytes: specBytes({
        ...(JSON.parse(new TextDecoder().decode(training(1))) as never as object),
        ...unknownTrainer(),
      } as never),
      says: "has no trainer",
    },
  ]) {
    it(`gives a lease back whose spec ${what}, says why, and pays the fee that its task holds`, async () => {
      const agent = await one.listed(bytes === undefined ? { specTimeout: 2 } : {});
      const before = await one.node();
      await one.leased(bytes);
      const given = await until(
        "the lease is given back",
        async () => {
          const found = await one.lease();
          return found?.status === "released" && found;
        },
        agent.said,
      );
      expect(agent.said()).to.include("giving the lease back").and.to.include(says);
      const after = await one.node();
      // Whose fault it was is known only when the task has ended: until then the fee is the task's, not anybody's.
      const { releaseFees, vault } = one.market.contracts;
      const fee = await releaseFees.feeFor(1);
      expect(fee > 0n).to.equal(true);
      expect([after?.status, after?.stake]).to.deep.equal(["active", (before?.stake ?? 0n) - fee]);
      expect(await vault.feesOf(given.taskId)).to.equal(fee);
      const task = await client.reader.task(await client.reader.block(), given.taskId);
      expect([task?.status, task?.openUnits]).to.deep.equal(["open", 1]);
    });
  }

  it("keeps its work running while the RPC endpoint is down, and takes no lease for gone", async () => {
    const rpcProxy = new RpcProxy(one.market.url);
    await rpcProxy.plug();
    try {
      const dataDir = join(bench.folder, "agent");
      const agent = await one.listed({ network: { ...bench.network, rpcUrl: rpcProxy.url } });
      await one.leased(training(3000));
      await until("a checkpoint is posted", () => one.checkpoint(), agent.said);
      await rpcProxy.cut();
      await until("the agent has noticed", () => agent.said().includes("cycle failed"), agent.said);
      expect(agent.said()).to.include(`${rpcProxy.url} gave no answer`);
      const [posted, then] = [await one.checkpoint(), await written(dataDir)];
      await until("the work goes on meanwhile", async () => (await written(dataDir)) > then + 5, agent.said);
      expect(await one.checkpoint()).to.deep.equal(posted);
      await rpcProxy.plug();
      await until(
        "checkpoints are posted again",
        async () => ((await one.checkpoint())?.sequence ?? 0) > (posted?.sequence ?? 0),
        agent.said,
      );
      const now = await one.lease();
      expect([now?.status, now?.fence]).to.deep.equal(["active", 1]);
      expect((await one.unitLog(dataDir)).split("--- unit").length - 1, "starts of the unit").to.equal(1);
      expect(agent.said()).not.to.match(/no longer ours|giving the lease back/);
    } finally {
      await rpcProxy.cut();
    }
  });

  describe("on a disk of 8 MiB", () => {
    let disk: string;

    before(function () {
      try {
        const probe = "/tmp/drmp-mount-probe";
        execFileSync("mkdir", ["-p", probe]);
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], { stdio: "ignore" });
        execFileSync("umount", [probe]);
      } catch {
        process.stdout.write("    (skipped: a small file system can be mounted by root alone)\n");
        this.skip();
      }
    });

    beforeEach(async () => {
      disk = join(bench.folder, "disk");
      await mkdir(disk);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
    });

    afterEach(() => {
      if (existsSync(disk)) execFileSync("umount", ["-l", disk]);
    });

    /** Writes until nothing more fits. */
    function fill(): string {
      const path = join(disk, "ballast");
      const { stderr } = spawnSync("dd", ["if=/dev/zero", `of=${path}`, "bs=4k"], { encoding: "utf8" });
      expect(stderr).to.include("No space left");
      return path;
    }

    it("names the directory where there is no room to start, and leaves nothing behind", async () => {
      fill();
      const file = await bench.write("agent.json", bench.agent({ dataDir: join(disk, "agent") }));
      const { code, said } = await bench.run("agent/main.ts", "run", "--config", file);
      expect(code, said).to.equal(1);
      expect(said)
        .to.include(join(disk, "agent"))
        .and.to.match(/no space|full/i);
      expect(await client.contracts.nodes.nodeCount()).to.equal(0n);
    });

    it("waits while it is full, loses nothing, and goes on when there is room", async () => {
      const dataDir = join(disk, "agent");
      const agent = await one.listed({ dataDir });
      const { stake } = (await one.node()) ?? {};
      await one.leased(training(500));
      await until("a checkpoint is posted", () => one.checkpoint(), agent.said);
      const ballast = fill();
      await until("the agent says so", () => agent.said().includes(`The disk of ${dataDir} is full`), agent.said);
      await until("the unit cannot go on", () => agent.said().includes("lease waits for room"), agent.said);
      await rm(ballast);
      await until("the result is delivered", async () => (await one.lease())?.status === "delivered", agent.said);
      expect(agent.said()).to.include("there is room again").and.not.to.include("giving the lease back");
      const log = await one.unitLog(dataDir);
      expect(log).to.match(/going on after step [1-9]/);
      const after = await one.node();
      expect(after?.stake).to.equal(stake);
      await until("the node is in the market again", async () => (await one.node())?.status === "active", agent.said);
      // What is on disk is whole.
      for (const name of await readdir(join(dataDir, "journals"))) {
        expect(JSON.parse(await readFile(join(dataDir, "journals", name), "utf8"))).to.have.property("entries");
      }
      const { result } = (await one.lease()) ?? {};
      expect(result?.size).to.be.above(0);
    });
  });
});

function unknownTrainer() {
  return { trainer: "oracle-of-delphi", env: {} };
}
