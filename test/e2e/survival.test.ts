import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Lease } from "@verai/client/entities";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { ACCOUNTS, type ParticipantNode, type ParticipantTask } from "@verai/devnet/participants";
import { specOf } from "@verai/devnet/configs";
import { readLedgerTotals } from "@verai/devnet/observe";
import { builtInTrainers } from "@verai/executor/trainers/registry";
import { ProcessExecutor } from "@verai/executor/process";
import { parseSpec, specBytes } from "@verai/executor/spec";
import { PATIENT, TestNetwork } from "@verai/devnet/network";
import { paidInVain } from "../support/transactions.ts";

const ANN: ParticipantNode = {
  name: "ann",
  class: "cpu/eu",
  capacity: 4,
  ask: "0.012",
  energySource: "wind",
  ownerAccount: 10,
  operatorAccount: 6,
};
/** Cheaper, and so filled first: he gets two of the four units. */
const BEN: ParticipantNode = { ...ANN, name: "ben", capacity: 2, ask: "0.010", ownerAccount: 11, operatorAccount: 7 };

const TASK: ParticipantTask = {
  name: "survival",
  account: 16,
  units: 4,
  maxPrice: "0.020",
  classes: { "cpu/eu": "0" },
  hidden: [32],
  learningRates: [0.02, 0.05, 0.1, 0.2],
};
/** A unit takes some 4 s of CPU, 20 s at least, and writes a checkpoint several times a second. */
const ARGS = ["--epochs", "20", "--train", "4000", "--test", "500", "--checkpoint-steps", "25"];
const SPEC = { ...specOf(TASK), args: [...ARGS, "--pace", "8"], timeouts: { unitSeconds: 3600, graceSeconds: 60 } };

let network: TestNetwork;
before(async () => {
  network = await TestNetwork.start("test-survival", PATIENT);
});
after(async () => {
  await network.stop();
});

test(
  "killed, drained and restarted in mid-training, the network comes to the same weights",
  { timeout: 1_800_000 },
  () => network.withTails(scenario),
);

async function scenario(): Promise<void> {
  const { session, processes, configs } = network;
  const { reader, contracts, provider } = session;
  const leases = async () => reader.leases(await reader.block());
  const nodeOf = async (operator: number) => {
    const { signer } = await session.queue({ testAccount: operator });
    return reader.nodeOfOperator(await reader.block(), signer.address);
  };
  const checkpointOf = async (id: number) => (await reader.checkpoints(await reader.block(), [id])).get(id);
  /** Lines of a unit's log on an agent's disk; empty before there is one. */
  const unitLog = async (node: ParticipantNode, lease: Lease, unit: number) => {
    const folder = `${String(lease.id)}-${String(lease.fence)}`;
    const file = join(configs.agentData(node), "leases", folder, `unit-${String(unit)}`, "unit.log");
    return (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  };

  const firstBlock = await provider.getBlockNumber();
  for (const node of [ANN, BEN]) await network.agent(node);
  await network.until("both nodes are listed", async () => {
    const nodes = await reader.nodes(await reader.block());
    return nodes.filter(({ listing, endpoint }) => listing && endpoint !== "").length === 2;
  });
  const [annId = 0, benId = 0] = [await nodeOf(ANN.operatorAccount), await nodeOf(BEN.operatorAccount)];
  const benBefore = await reader.node(await reader.block(), benId);
  await network.keeper();
  const { config, spec, terms, data } = await configs.developer(TASK, SPEC);
  const developer = processes.start("developer", [
    ...["developer/main.ts", "train", "--config", config, "--spec", spec, "--terms", terms],
  ]);

  // The first round gives two units to each.
  const first = await network.until("the first round's leases", async () => {
    const granted = await leases();
    return granted.length === 2 && granted;
  });
  const annLease = first.find(({ nodeId }) => nodeId === annId);
  const benLease = first.find(({ nodeId }) => nodeId === benId);
  assert.ok(annLease && benLease, `one lease each, but: ${JSON.stringify(first)}`);
  assert.deepEqual([annLease.count, benLease.count], [2, 2]);

  // Ann is killed in the middle of her units, which run side by side.
  const two = annLease.start + 1;
  await network.until("ann is in the middle of her units", async () => {
    const logs = await Promise.all([annLease.start, two].map((unit) => unitLog(ANN, annLease, unit)));
    return logs.every((log) => log.filter((line) => line.endsWith("written")).length >= 4);
  });
  await processes.kill("ann");
  // However long she takes to come back: ben is to be in the middle of his units then.
  await processes.freezeChildren("ben");
  const before = await unitLog(ANN, annLease, two);
  assert.ok(!before.some((line) => line.startsWith("--- done")), "she was killed in mid-training");
  await network.agent(ANN);
  await network.until("ann goes on", async () => {
    const started = (await network.log("ann")).filter(({ msg }) => msg === "working on lease");
    return started.length === 2;
  });
  await processes.freezeChildren("ben", false);

  // Ben is told to leave in mid-training.
  await network.until("ben has posted two checkpoints", async () => {
    return ((await checkpointOf(benLease.id))?.sequence ?? 0) >= 2;
  });
  // Nobody settles rounds meanwhile.
  await processes.kill("keeper");
  await processes.stop(["ben"], 600_000);
  const [released] = await reader.leasesById(await reader.block(), [benLease.id]);
  const benAfter = await reader.node(await reader.block(), benId);
  const handedOver = await checkpointOf(benLease.id);
  assert.equal(released?.status, "released");
  assert.equal(benAfter?.status, "draining");
  assert.equal(benAfter.stake, benBefore?.stake, "leaving in order costs no stake");
  assert.equal(benAfter.cooldownUntil, benBefore?.cooldownUntil, "nor time");
  assert.ok(handedOver && handedOver.progress > 0 && handedOver.progress < 20_000);
  const benLog = await network.log("ben");
  const lastPosted = benLog.filter(({ msg }) => msg === "checkpoint posted").at(-1);
  const cid = fromChainCid(handedOver).toString();
  assert.equal(lastPosted?.["cid"], cid, "the checkpoint on chain is the last that was made");
  assert.deepEqual(lastPosted["held"], [annId], "the other node holds it, and has signed for it");
  assert.ok(
    benLog.findIndex(({ msg }) => msg.startsWith("leaving")) < benLog.indexOf(lastPosted),
    "and was posted after he was told to leave",
  );

  // A new keeper opens the round that gives ben's units to ann, and is killed in the middle of it.
  await network.keeper();
  await network.until("a second round is open", async () => (await reader.round(await reader.block())).id === 2);
  await processes.kill("keeper");
  await network.keeper();
  const successor = await network.until("ben's units are leased again", async () => {
    return (await leases()).find(({ parent }) => parent === benLease.id);
  });
  assert.deepEqual(
    [successor.nodeId, successor.start, successor.count],
    [annId, benLease.start, benLease.count],
    "the same units, at the node that is left",
  );
  assert.ok(successor.fence > benLease.fence);

  let code: number | string | undefined;
  void developer.exit.then((exit) => {
    code = exit;
  });
  await network.until("the developer has all that was paid for", () => Promise.resolve(code !== undefined));
  assert.equal(code, 0, "the developer got and accepted all");

  // Nothing ran twice.
  const annLog = await network.log("ann");
  for (const lease of [annLease, successor]) {
    for (let unit = lease.start; unit < lease.start + lease.count; unit++) {
      const done = annLog.filter(
        (line) => line.msg === "unit done" && line["lease"] === lease.id && line["unit"] === unit,
      );
      assert.ok(done.length <= 1, `unit ${String(unit)} was done ${String(done.length)} times`);
    }
  }
  const restored = annLog.find((line) => line.msg === "restored from checkpoint" && line["lease"] === successor.id);
  assert.equal(restored?.["cid"], cid, "she went on from ben's last checkpoint");

  // The chain tells the same: every step once, in its order, nothing refused.
  const block = await reader.block();
  const { checkpoints } = contracts;
  const found = await Promise.all([
    checkpoints.queryFilter(checkpoints.filters.CheckpointPosted(), firstBlock),
    checkpoints.queryFilter(checkpoints.filters.CheckpointTraced(), firstBlock),
  ]);
  const posted = found.flat().sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
  for (const { id } of await leases()) {
    const own = posted.map(({ args }) => args).filter(({ leaseId }) => Number(leaseId) === id);
    const newest = await checkpointOf(id);
    assert.equal(own.length, newest?.sequence ?? 0, `checkpoints of lease ${String(id)}`);
    const progress = own.map((each) => Number(each.progress));
    assert.deepEqual(
      progress,
      [...new Set(progress)].sort((a, b) => a - b),
      "each is further than the one before",
    );
  }
  const delivered = await contracts.leases.queryFilter(contracts.leases.filters.ResultDelivered(), firstBlock);
  assert.deepEqual(delivered.map(({ args }) => Number(args.leaseId)).sort(), [annLease.id, successor.id].sort());
  const expired = await contracts.leases.queryFilter(contracts.leases.filters.LeaseExpired(), firstBlock);
  assert.equal(expired.length, 0, "no lease was overdue");
  assert.deepEqual(await paidInVain(session, firstBlock, block.number), [], "nothing was paid for in vain");

  // Everything is paid, and the totals balance.
  const [task] = await reader.tasks(block);
  assert.deepEqual([task?.status, task?.paidUnits, task?.escrow], ["ended", 4, 0n]);
  const accounts = await Promise.all(
    [ANN.ownerAccount, BEN.ownerAccount, TASK.account, ACCOUNTS.keeper].map(
      async (testAccount) => (await session.queue({ testAccount })).signer.address,
    ),
  );
  const totals = await readLedgerTotals(contracts, block.number, accounts);
  assert.ok(
    totals.balanced,
    JSON.stringify(totals, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  );

  // The interrupted units' weights are those of a training that nobody interrupted.
  const results = join(data, "results", `task-${String(task?.id)}`);
  const weights = async (lease: Lease, unit: number) =>
    weightsIn(join(results, `lease-${String(lease.id)}`, `unit-${String(unit)}`));
  const interrupted = [
    { lease: annLease, unit: two },
    { lease: successor, unit: successor.start + Math.floor(handedOver.progress / 10_000) },
  ];
  await Promise.all(
    interrupted.map(async ({ lease, unit }) => {
      assert.equal(await weights(lease, unit), await trainedInOneGo(unit), `weights of unit ${String(unit)}`);
    }),
  );
}

/** SHA-256 of the weights that a unit left. */
async function weightsIn(output: string): Promise<string> {
  const { weightsSha256 } = JSON.parse(await readFile(join(output, "metrics.json"), "utf8")) as {
    weightsSha256: string;
  };
  return weightsSha256;
}

/** Trains a unit of the task without agent, chain or interruption. */
async function trainedInOneGo(unitIndex: number): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "drmp-unit-"));
  try {
    const folder = {
      root,
      checkpoint: join(root, "checkpoint"),
      input: join(root, "input"),
      output: join(root, "output"),
      exchange: join(root, "exchange"),
      log: join(root, "unit.log"),
    };
    const executor = new ProcessExecutor({ trainers: builtInTrainers });
    const unit = {
      leaseId: 1,
      leaseStart: 0,
      leaseUnits: TASK.units,
      taskId: 1,
      unitIndex,
      unitCount: TASK.units,
      attempt: 1,
    };
    const running = await executor.start({ ...unit, spec: parseSpec(specBytes({ ...SPEC, args: ARGS })), folder });
    const exit = await running.exited;
    assert.equal(exit.reason, "done", exit.detail);
    return await weightsIn(folder.output);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
