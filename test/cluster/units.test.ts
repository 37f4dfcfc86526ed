/** Units in real pods: a lease as an Indexed Job on two machines, and what real clusters do to it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { listCheckpoints } from "@verai/executor/checkpoints";
import { until } from "@verai/executor/testing";
import type { UnitRun } from "@verai/executor/executor";
import type { AgentOptions } from "./agent.ts";
import type { AgentProcess, AgentUnit } from "./support/agent-process.ts";
import { TestCluster } from "./support/cluster.ts";
import { noMachines } from "./support/machine.ts";
import { Proxy } from "./support/proxy.ts";

const skip = noMachines;
/** Seconds for what a cluster does in a few. */
const SOON = 300;

let cluster: TestCluster;
before(async () => {
  if (!skip) cluster = await TestCluster.start();
});
after(() => cluster?.stop());

/** Waits until a unit has written something, and says what it has done if it does not come. */
/** Starts a unit that runs until it is told to stop, and waits until it does. */
async function begun(agent: AgentProcess, options: AgentOptions): Promise<{ unit: UnitRun; running: AgentUnit }> {
  const unit = one(cluster.lease(options, cluster.spec(["drain"])));
  const running = await agent.start(unit);
  await logged(unit, running, /ready\n/);
  return { unit, running };
}

async function logged(unit: UnitRun, running: AgentUnit, pattern: RegExp, seconds = SOON): Promise<void> {
  await until(String(pattern), async () => pattern.test(await running.log()), seconds).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await cluster.explain(unit, running)}`);
  });
}

function one(units: readonly UnitRun[]): UnitRun {
  const [unit] = units;
  assert.ok(unit);
  return unit;
}

test("a volume whose root belongs to root is found before any lease is taken", { skip }, async (context) => {
  const { agent } = await cluster.agent(context);
  await assert.rejects(agent.probe(), {
    code: "ENGINE_UNAVAILABLE",
    message: /the volume drmp-work cannot be written to at \S+ by user 65532 \(EACCES\)/,
  });
  cluster.giveVolume();
  assert.match((await agent.probe()).join("\n"), /^The CPU time of units cannot be read/);
});

test(
  "a lease is one Job of real pods; each unit learns which one it is; the Job goes when they have ended",
  { skip },
  async (context) => {
    const { agent, options } = await cluster.agent(context);
    const units = cluster.lease(options, cluster.spec(["environment"]), 3, 7);
    const running = await Promise.all(units.map((unit) => agent.start(unit)));
    assert.equal((await cluster.jobsOf(one(units))).length, 1);
    for (const [i, each] of running.entries()) {
      const unit = units[i] as UnitRun;
      const exit = await each.exited();
      assert.equal(exit.reason, "done", `${exit.detail}\n${await cluster.explain(unit, each)}`);
      const env = JSON.parse(await readFile(join(unit.folder.output, "result.json"), "utf8")) as Record<string, string>;
      assert.deepEqual(
        [env["DRMP_UNIT_INDEX"], env["DRMP_UNIT_COUNT"], env["DRMP_ATTEMPT"]],
        [String(7 + i), "100", "1"],
      );
    }
    await until("the Job is gone", async () => (await cluster.jobsOf(one(units))).length === 0, SOON);
    await until("its pods are gone", async () => (await cluster.podsOf(one(units))).length === 0, SOON);
  },
);

test(
  "a failed unit has its exit code and its log, and is started again in a Job of its own",
  { skip },
  async (context) => {
    const { agent, options } = await cluster.agent(context);
    const unit = one(cluster.lease(options, cluster.spec(["exit", "75"]), 2));
    const { reason, code } = await (await agent.start(unit)).exited();
    assert.deepEqual([reason, code], ["failed", 75]);
    const again = await (await agent.start({ ...unit, attempt: 2 })).exited();
    assert.deepEqual([again.reason, again.code], ["failed", 75]);
    assert.match(await readFile(unit.folder.log, "utf8"), /attempt 1[^]*failed[^]*attempt 2[^]*failed/);
  },
);

test(
  "drained: SIGTERM, a last checkpoint, exit code 143; resumed from it; killed: at once",
  { skip },
  async (context) => {
    const { agent, options } = await cluster.agent(context);
    const { unit, running } = await begun(agent, options);
    const { reason, code } = await running.drain(5);
    assert.deepEqual([reason, code], ["drained", 143]);
    assert.equal((await listCheckpoints(unit.folder.checkpoint))[0]?.number, 7);
    const resumed = await agent.start({ ...unit, spec: cluster.spec(["finish"]), attempt: 2 });
    const exit = await resumed.exited();
    assert.equal(exit.reason, "done", exit.detail);
    const { checkpoints } = JSON.parse(await readFile(join(unit.folder.output, "result.json"), "utf8")) as {
      checkpoints: string[];
    };
    assert.equal(checkpoints.length, 1);

    const stubborn = one(cluster.lease(options, cluster.spec(["stubborn"])));
    const other = await agent.start(stubborn);
    await logged(stubborn, other, /ready\n/);
    assert.equal((await other.kill()).reason, "killed");
  },
);

test("its machine is drained: the unit goes on from its checkpoint on the other one", { skip }, async (context) => {
  const { agent, options } = await cluster.agent(context);
  const unit = one(cluster.lease(options, cluster.spec(["drain"])));
  const running = await agent.start(unit);
  await logged(unit, running, /ready\n/);
  const { name } = await cluster.machineOf(unit);
  context.after(() => cluster.plane.kubectl("uncordon", name));
  await cluster.plane.kubectl("drain", name, "--delete-emptydir-data", "--timeout=240s");
  await logged(unit, running, /ready\n[^]*goes on in pod[^]*ready\n/);
  assert.notEqual((await cluster.machineOf(unit)).name, name);
  assert.equal((await listCheckpoints(unit.folder.checkpoint))[0]?.number, 7);
  assert.equal((await running.drain(5)).reason, "drained");
});

test("more memory than it has asked for: ended by its machine, and told", { skip }, async (context) => {
  const { agent, options } = await cluster.agent(context);
  const unit = one(cluster.lease(options, cluster.spec(["hog"])));
  const running = await agent.start(unit);
  const { reason, detail } = await running.exited();
  assert.equal(reason, "failed");
  assert.match(detail, /used more than 256 MiB: raise resources\.memoryMiB/);
});

test("more scratch space than it has asked for: evicted for what it did itself", { skip }, async (context) => {
  const { agent, options } = await cluster.agent(context);
  const fill = 'require("fs").writeFileSync("/tmp/fill", Buffer.alloc(80 << 20)); setInterval(() => {}, 1000);';
  const spec = cluster.spec(["--eval", fill], {
    command: ["/usr/local/bin/node"],
    resources: { cpus: 0.5, memoryMiB: 256, ephemeralMiB: 40 },
  });
  const unit = one(cluster.lease(options, spec));
  const running = await agent.start(unit);
  const { reason, detail } = await running.exited();
  assert.equal(reason, "failed", `${detail}\n${await cluster.explain(unit, running)}`);
  assert.match(detail, /ephemeralMiB/);
});

test(
  "an image that does not exist, and a unit that fits nowhere: unstarted, with the cluster's words",
  { skip },
  async (context) => {
    const { agent, options } = await cluster.agent(context, { timeOuts: { startSeconds: 15 } });
    const image = cluster.image.reference.replace(/[0-9a-f]{64}$/, "ab".repeat(32));
    const absent = one(cluster.lease(options, cluster.spec(["finish"], { image })));
    const large = one(cluster.lease(options, cluster.spec(["finish"], { resources: { cpus: 512, memoryMiB: 256 } })));
    const [first, second] = [await agent.start(absent), await agent.start(large)];
    await until("it waits", async () => /waits for its machine/.test((await second.waiting()) ?? ""), SOON);
    const exits = [await first.exited(), await second.exited()];
    assert.deepEqual(
      exits.map(({ reason }) => reason),
      ["unstarted", "unstarted"],
    );
    assert.match(exits[0]?.detail ?? "", /ImagePull/);
    assert.match(exits[1]?.detail ?? "", /Insufficient cpu/);
  },
);

test("a command that its image does not have cannot be started anywhere", { skip }, async (context) => {
  const { agent, options } = await cluster.agent(context);
  const unit = one(cluster.lease(options, cluster.spec(["x"], { command: ["/no/such/program"] })));
  const { reason, detail } = await (await agent.start(unit)).exited();
  assert.equal(reason, "failed", detail);
  assert.match(detail, /no such file or directory/);
});

test("logs whose streams break, and fall silent: each line once", { skip }, async (context) => {
  const proxy = new Proxy(Number(new URL(cluster.plane.server).port));
  const port = await proxy.start();
  context.after(() => proxy.stop());
  const { options } = await cluster.agent(context);
  const config = JSON.parse(await readFile(options.kubeconfig, "utf8")) as {
    users: { user: { token: string } }[];
  };
  const token = config.users[0]?.user.token ?? "";
  const kubeconfig = cluster.kubeconfig("through-proxy", token, `https://localhost:${String(port)}`);
  const agent = cluster.again(context, {
    ...options,
    kubeconfig,
    timeOuts: { ...options.timeOuts!, silentSeconds: 5 },
  });
  const count = 300;
  const talk = `let i = 0; const timer = setInterval(() => { console.log("line " + i++);
    if (i === ${String(count)}) { clearInterval(timer); require("fs").writeFileSync(process.env.DRMP_OUTPUT_DIR + "/result.json", "1"); } }, 100);`;
  const unit = one(cluster.lease(options, cluster.spec(["--eval", talk], { command: ["/usr/local/bin/node"] })));
  const running = await agent.start(unit);
  await logged(unit, running, /line 20\n/);
  proxy.cut();
  await logged(unit, running, /line 60\n/);
  proxy.silence();
  await logged(unit, running, /line 150\n/);
  const exit = await running.exited();
  assert.equal(exit.reason, "done", exit.detail);
  const lines = (await readFile(unit.folder.log, "utf8")).split("\n").filter((line) => line.startsWith("line "));
  assert.deepEqual(
    lines,
    Array.from({ length: count }, (_, i) => `line ${String(i)}`),
  );
});

test(
  "a queue: the Job begins when it is admitted, and goes on later when its quota is taken back",
  { skip },
  async (context) => {
    const { agent, options } = await cluster.agent(context, { queue: "rented" });
    const unit = one(cluster.lease(options, cluster.spec(["drain"])));
    const running = await agent.start(unit);
    await until("it waits", async () => /waits for its queue's quota/.test((await running.waiting()) ?? ""), SOON);
    assert.deepEqual(await cluster.podsOf(unit), []);
    const [job = ""] = await cluster.jobsOf(unit);
    // What Kueue does when there is quota, and when it is taken back.
    const suspend = async (name: string, yes: boolean) => {
      const patch = `{"spec":{"suspend":${String(yes)}}}`;
      await cluster.plane.kubectl("--namespace", "drmp", "patch", "job", name, "--patch", patch);
    };
    await suspend(job, false);
    await logged(unit, running, /ready\n/);
    await suspend(job, true);
    const exit = await running.exited();
    assert.equal(exit.reason, "evicted", exit.detail);
    assert.equal((await listCheckpoints(unit.folder.checkpoint))[0]?.number, 7);
    const again = await agent.start({ ...unit, attempt: 2 });
    await until("it waits again", async () => /waits for its queue's quota/.test((await again.waiting()) ?? ""), SOON);
    const suspended = await cluster.plane.batch.listNamespacedJob({
      namespace: "drmp",
      labelSelector: "kueue.x-k8s.io/queue-name",
    });
    const name = suspended.items.find(
      ({ spec, metadata }) => spec?.suspend && metadata?.name?.startsWith(`drmp-${String(unit.leaseId)}-`),
    );
    assert.ok(name?.metadata?.name);
    await suspend(name.metadata.name, false);
    await logged(unit, again, /ready\n[^]*ready\n/);
    assert.equal((await again.drain(5)).reason, "drained");
  },
);

test(
  "its agent is restarted: the unit goes on and is taken over; nothing new starts meanwhile",
  { skip },
  async (context) => {
    const { agent, options } = await cluster.agent(context);
    const [unit, gated] = cluster.lease(options, cluster.spec(["drain"]), 2) as [UnitRun, UnitRun];
    const unwanted = one(cluster.lease(options, cluster.spec(["wait"])));
    await logged(unit, await agent.start(unit), /ready\n/);
    await logged(unwanted, await agent.start(unwanted), /ready\n/);
    await agent.crash();
    const pods = (await cluster.podsOf(unit)).map(({ metadata, status }) => [metadata?.name, status?.phase]).sort();
    assert.deepEqual(
      pods.map(([, phase]) => phase),
      ["Running", "Pending"],
      "that of the other unit waits for its gate",
    );
    const next = cluster.again(context, { ...options, adoptSeconds: 0 });
    const running = await next.start({ ...unit, attempt: 2 });
    await logged(unit, running, /attempt 2, job .*, taken over/);
    const other = await next.start(gated);
    await logged(gated, other, /ready\n/);
    assert.deepEqual(
      (await cluster.podsOf(unit)).map(({ metadata }) => metadata?.name).sort(),
      pods.map(([name]) => name),
    );
    await until("the unwanted Job is gone", async () => (await cluster.jobsOf(unwanted)).length === 0, SOON);
    assert.equal((await running.drain(5)).reason, "drained");
    assert.equal((await other.drain(5)).reason, "drained");
  },
);

test(
  "the capacity is what both machines have room for; that of one which is cordoned off does not count",
  { skip },
  async (context) => {
    const { agent } = await cluster.agent(context);
    const without = async (node: string): Promise<number> => {
      await cluster.plane.kubectl("cordon", node);
      const units = await agent.capacity();
      await cluster.plane.kubectl("uncordon", node);
      return units;
    };
    const both = await agent.capacity();
    // What other tests have left takes room on one of them.
    const each = [await without("node-0"), await without("node-1")];
    assert.ok(Math.min(...each) > 0, each.join(", "));
    assert.equal(
      each.reduce((sum, units) => sum + units, 0),
      both,
    );
  },
);

test(
  "a machine that is not heard of: the unit is lost, though it may run still; the machine comes back",
  { skip },
  async (context) => {
    const { agent, options } = await cluster.agent(context);
    const { unit, running } = await begun(agent, options);
    const machine = await cluster.machineOf(unit);
    await machine.lose();
    const { reason, detail } = await running.exited();
    assert.equal(reason, "lost", detail);
    const [pod] = await cluster.podsOf(unit);
    assert.ok(pod?.metadata?.deletionTimestamp, "it is Terminating, and stays so");
    assert.equal(await agent.capacity().then((units) => units > 0), true, "the other machine has room");
    await machine.comeBack();
    await until("its pods and its Job are gone", async () => (await cluster.podsOf(unit)).length === 0, SOON);
    assert.equal((await cluster.jobsOf(unit)).length, 0);
  },
);

test(
  "a machine that never comes back, and is taken out of the cluster: the unit goes on elsewhere",
  { skip },
  async (context) => {
    const { agent, options } = await cluster.agent(context, { timeOuts: { lostSeconds: 300 } });
    const { unit, running } = await begun(agent, options);
    const machine = await cluster.machineOf(unit);
    await machine.lose();
    context.after(() => machine.comeBack());
    await cluster.plane.kubectl("delete", "node", machine.name);
    await logged(unit, running, /ready\n[^]*goes on in pod[^]*ready\n/);
    assert.notEqual((await cluster.machineOf(unit)).name, machine.name);
    assert.equal((await running.drain(5)).reason, "drained");
  },
);
