/** The Kubernetes executor against a stand-in for the API server, in which units really run. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import { KubeConfig } from "@kubernetes/client-node";

import { listCheckpoints } from "@verai/executor/checkpoints";
import { KubernetesExecutor } from "@verai/executor/kubernetes";
import { Cluster } from "@verai/executor/kubernetes/cluster";
import { testSpec, testUnit, until } from "@verai/executor/testing";
import type { UnitRun } from "@verai/executor/executor";
import { problemsOf, type Manifest } from "../support/manifests.ts";
import { TestCluster } from "../support/kubernetes-api.ts";

const PROGRAM = fileURLToPath(new URL("../../packages/executor/testdata/misbehaves.ts", import.meta.url));

let volume: string;
let cluster: TestCluster;
let url: string;
let leases = 0;
before(async () => {
  volume = await mkdtemp(join(tmpdir(), "drmp-kubernetes-"));
  cluster = new TestCluster(volume, [process.execPath, PROGRAM]);
  url = await cluster.start();
});
after(async () => {
  await cluster.stop();
  await rm(volume, { recursive: true, force: true });
});

function executor(context: TestContext, adoptSeconds?: number, queue?: string): KubernetesExecutor {
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: "test", server: url, skipTLSVerify: true }, { name: "agent" });
  const opened = new KubernetesExecutor({
    cluster: new Cluster(config, "drmp"),
    settings: {
      namespace: "drmp",
      owner: "agent-0",
      volume: { claim: "work", path: join(volume, "agent-0"), subPath: "agent-0" },
      uid: 65532,
      gid: 65532,
      tmpMiB: 64,
      nodeSelector: {},
      gpuResource: "nvidia.com/gpu",
      queue,
    },
    trainers: ["misbehaves"],
    trainerImage: "lab.example/trainer:1",
    allowOutbound: false,
    gpusPerUnit: 0,
    unitSize: { cpus: 1, memoryMiB: 1024, gpus: 0 },
    pollMs: 50,
    adoptSeconds,
  });
  context.after(() => opened.close());
  return opened;
}

/** The units of a new lease. */
function lease(
  start: number,
  count: number,
  args: string[],
  timeouts = { unitSeconds: 60, graceSeconds: 5 },
): UnitRun[] {
  const leaseId = ++leases;
  return Array.from({ length: count }, (_, i) =>
    testUnit(join(volume, "agent-0", "leases", `${leaseId}-1`, `unit-${start + i}`), testSpec({ args, timeouts }), {
      leaseId,
      leaseStart: start,
      leaseUnits: count,
      unitIndex: start + i,
      unitCount: 100,
    }),
  );
}

const jobsOf = (unit: UnitRun) => [...cluster.jobs.keys()].filter((name) => name.startsWith(`drmp-${unit.leaseId}-`));
const podsOf = (unit: UnitRun) => [...cluster.pods.keys()].filter((name) => name.startsWith(`drmp-${unit.leaseId}-`));
const ready = (running: { logTail(bytes: number): Promise<string> }) =>
  until("the unit is ready", async () => (await running.logTail(2000)).includes("ready\n"));

test("a lease is one Job; each of its units learns which one it is; the Job goes when they have ended", async (context) => {
  const units = lease(7, 3, ["environment"]);
  const under = executor(context);
  const running = await Promise.all(units.map((unit) => under.start(unit)));
  const [name = ""] = jobsOf(units[0] as UnitRun);
  assert.deepEqual(jobsOf(units[0] as UnitRun).length, 1);
  assert.deepEqual(await problemsOf([cluster.jobs.get(name) as Manifest]), []);
  for (const [i, each] of running.entries()) {
    const exit = await each.exited;
    assert.equal(exit.reason, "done", `${exit.detail}\n${await each.logTail(2000)}`);
    const unit = units[i] as UnitRun;
    const env = JSON.parse(await readFile(join(unit.folder.output, "result.json"), "utf8")) as Record<string, string>;
    assert.deepEqual(
      [env["DRMP_UNIT_INDEX"], env["DRMP_UNIT_COUNT"], env["DRMP_ATTEMPT"]],
      [String(7 + i), "100", "1"],
    );
    assert.equal(env["DRMP_OUTPUT_DIR"], unit.folder.output);
  }
  await until("the Job is gone", () => jobsOf(units[0] as UnitRun).length === 0);
});

test("a failed unit has its exit code, and is started again in a Job of its own", async (context) => {
  const [unit] = lease(3, 1, ["exit", "75"]) as [UnitRun];
  const under = executor(context);
  const { reason, code } = await (await under.start(unit)).exited;
  assert.deepEqual([reason, code], ["failed", 75]);
  const again = await (await under.start({ ...unit, attempt: 2 })).exited;
  assert.deepEqual([again.reason, again.code], ["failed", 75]);
  assert.match(await readFile(unit.folder.log, "utf8"), /attempt 1[^]*failed[^]*attempt 2[^]*failed/);
});

test("drained: SIGTERM, a last checkpoint, exit code 143; killed: at once", async (context) => {
  const [unit] = lease(0, 1, ["drain"]) as [UnitRun];
  const under = executor(context);
  const running = await under.start(unit);
  await ready(running);
  await assert.rejects(under.start(unit), { code: "ALREADY_RUNNING" });
  const { reason, code } = await running.drain(5);
  assert.deepEqual([reason, code], ["drained", 143]);
  assert.equal((await listCheckpoints(unit.folder.checkpoint))[0]?.number, 7);

  const [stubborn] = lease(0, 1, ["stubborn"]) as [UnitRun];
  const other = await under.start(stubborn);
  await ready(other);
  assert.equal((await other.kill()).reason, "killed");
});

test("a pod that the cluster takes away is made again and goes on from its checkpoint", async (context) => {
  const [unit] = lease(5, 1, ["drain"]) as [UnitRun];
  const running = await executor(context).start(unit);
  await ready(running);
  const [first = ""] = podsOf(unit);
  cluster.evict(first);
  await until("another pod runs", async () => (await running.logTail(5000)).split("ready\n").length === 3);
  assert.equal((await listCheckpoints(unit.folder.checkpoint))[0]?.number, 7);
  assert.match(await running.logTail(5000), /goes on in pod drmp-/);
  assert.equal((await running.drain(5)).reason, "drained");
});

test("a machine that never comes back, and is taken out of the cluster: the unit goes on elsewhere", async (context) => {
  const [unit] = lease(5, 1, ["drain"]) as [UnitRun];
  const running = await executor(context).start(unit);
  await ready(running);
  const [first = ""] = podsOf(unit);
  cluster.loseMachineOf(first);
  cluster.removeMachineOf(first);
  await until("another pod runs", async () => (await running.logTail(5000)).split("ready\n").length === 3);
  assert.equal((await running.drain(5)).reason, "drained");
});

test("a queue: the Job is created suspended, and its units wait for the quota", async (context) => {
  const units = lease(0, 2, ["drain"]);
  const under = executor(context, undefined, "rented");
  const [first, second] = await Promise.all(units.map((unit) => under.start(unit)));
  assert.ok(first && second);
  const [name = ""] = jobsOf(units[0] as UnitRun);
  const job = cluster.jobs.get(name);
  assert.equal(job?.metadata?.labels?.["kueue.x-k8s.io/queue-name"], "rented");
  assert.equal(job.spec?.suspend, true);
  await until("they say so", () => /suspended: it waits for its queue's quota/.test(first.waiting?.() ?? ""), 10);
  assert.deepEqual(podsOf(units[0] as UnitRun), []);
  assert.equal((await second.drain(5)).reason, "drained", "what has not begun need not wait");
  cluster.admit(name);
  await ready(first);
  assert.equal(first.waiting?.(), undefined);
  // The quota is taken back for what matters more.
  cluster.suspend(name);
  const exit = await first.exited;
  assert.equal(exit.reason, "evicted", exit.detail);
  assert.equal((await listCheckpoints((units[0] as UnitRun).folder.checkpoint))[0]?.number, 7);
});

test("too much memory and too much time are told apart from other ends", async (context) => {
  const under = executor(context);
  const [slow] = lease(0, 1, ["wait"], { unitSeconds: 1, graceSeconds: 1 }) as [UnitRun];
  const late = await under.start(slow);
  assert.match((await late.exited).detail, /longer than 1 s: raise timeouts\.unitSeconds/);
  const [hungry] = lease(0, 1, ["stubborn"]) as [UnitRun];
  const hog = await under.start(hungry);
  await ready(hog);
  const [pod = ""] = podsOf(hungry);
  cluster.oomKilled.add(pod);
  cluster.pods.get(pod)?.child?.kill("SIGKILL");
  const exit = await hog.exited;
  assert.equal(exit.reason, "failed");
  assert.match(exit.detail, /used more than 256 MiB: raise resources\.memoryMiB/);
});

test("an API server that does not answer says nothing about the units", async (context) => {
  const [unit] = lease(0, 1, ["drain"]) as [UnitRun];
  const running = await executor(context).start(unit);
  await ready(running);
  cluster.outage = true;
  const ended = running.drain(30);
  const before = await Promise.race([
    ended.then(() => "ended"),
    new Promise((resolve) => setTimeout(resolve, 400, "waits")),
  ]);
  assert.equal(before, "waits");
  cluster.outage = false;
  assert.equal((await ended).reason, "drained");
});

test("units go on without their agent, and are taken over; what is no longer wanted is deleted", async (context) => {
  const [unit] = lease(0, 1, ["drain"]) as [UnitRun];
  const [unwanted] = lease(0, 1, ["wait"]) as [UnitRun];
  const first = executor(context);
  await ready(await first.start(unit));
  await ready(await first.start(unwanted));
  await first.close();
  const pods = podsOf(unit);
  const second = executor(context, 0);
  const running = await second.start({ ...unit, attempt: 2 });
  assert.deepEqual(podsOf(unit), pods);
  assert.match(await running.logTail(5000), /attempt 2, job .*, taken over/);
  await until("the other Job is deleted", () => jobsOf(unwanted).length === 0);
  assert.equal((await running.drain(5)).reason, "drained");
});

/** An executor that is deleting the Job of a unit of an earlier life, and has listed that of another one. */
async function sweeping(context: TestContext) {
  const [unwanted, other, own] = [lease(0, 1, ["stubborn"]), lease(0, 1, ["drain"]), lease(0, 1, ["drain"])].flat() as [
    UnitRun,
    UnitRun,
    UnitRun,
  ];
  // What earlier tests have left would be deleted first.
  cluster.jobs.clear();
  const first = executor(context);
  await ready(await first.start(unwanted));
  await ready(await first.start(other));
  await first.close();
  const held = Promise.withResolvers<void>();
  context.after(() => {
    held.resolve();
    cluster.held.clear();
  });
  cluster.held.set("DELETE jobs", held.promise);
  const calls = cluster.calls.length;
  const second = executor(context, 0);
  // It looks at the cluster as soon as a unit runs.
  const running = await second.start(own);
  await until("a Job is being deleted", () => cluster.calls.slice(calls).includes("DELETE jobs"));
  const release = () => {
    cluster.held.clear();
    held.resolve();
  };
  return { second, unwanted, other, running, release };
}

test("a unit that takes its Job over while another one is deleted keeps it", async (context) => {
  const { second, unwanted, other, running, release } = await sweeping(context);
  const jobs = jobsOf(other);
  const taken = await second.start({ ...other, attempt: 2 });
  release();
  await until("the other Job is deleted", () => jobsOf(unwanted).length === 0);
  const calls = cluster.calls.length;
  await until("it has looked again", () => cluster.calls.slice(calls).filter((call) => call === "GET pods").length > 2);
  assert.deepEqual(jobsOf(other), jobs);
  assert.equal((await taken.drain(5)).reason, "drained");
  assert.equal((await running.drain(5)).reason, "drained");
});

test("a unit finds no place in a Job that is being deleted, however late it is told of it", async (context) => {
  const { second, unwanted, running, release } = await sweeping(context);
  const [job] = jobsOf(unwanted);
  const late = Promise.withResolvers<void>();
  context.after(() => late.resolve());
  cluster.lateAnswers.set("GET jobs", late.promise);
  const starting = second.start({ ...unwanted, attempt: 2 });
  // An answer to the start, where it asks for that Job, is of before the deletion and comes after it.
  await new Promise((resolve) => setTimeout(resolve, 200));
  release();
  await until("the Job is deleted", () => job !== undefined && !cluster.jobs.has(job));
  await new Promise((resolve) => setTimeout(resolve, 200));
  cluster.lateAnswers.clear();
  late.resolve();
  const again = await starting;
  assert.equal(jobsOf(unwanted).includes(job ?? ""), false);
  await ready(again);
  assert.equal((await again.kill()).reason, "killed");
  assert.equal((await running.drain(5)).reason, "drained");
});

test("a unit that is started during a look at the cluster is not taken for gone", async (context) => {
  const [own, unit] = [lease(0, 1, ["drain"]), lease(0, 1, ["drain"])].flat() as [UnitRun, UnitRun];
  const under = executor(context);
  const held = Promise.withResolvers<void>();
  context.after(() => {
    held.resolve();
    cluster.held.clear();
  });
  cluster.held.set("GET metrics", held.promise);
  const calls = cluster.calls.length;
  const running = await under.start(own);
  // Jobs are listed before.
  await until("it asks what pods use", () => cluster.calls.slice(calls).includes("GET metrics"));
  const meanwhile = await under.start(unit);
  cluster.held.clear();
  held.resolve();
  await Promise.race([ready(meanwhile), meanwhile.exited.then(({ detail }) => assert.fail(detail))]);
  assert.equal((await meanwhile.drain(5)).reason, "drained");
  assert.equal((await running.drain(5)).reason, "drained");
});

test("the capacity is what the cluster has room for, and what runs", async (context) => {
  const under = executor(context);
  const machine = (cpu: string) => ({
    metadata: { name: `machine-${cpu}` },
    status: {
      allocatable: { cpu, memory: "64Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" }],
    },
  });
  cluster.nodes.splice(0, Infinity, machine("4"), machine("2500m"));
  assert.equal(await under.capacity(), 6);
});

test("a followed log that is cut is followed again, without a line lost or doubled", async (context) => {
  const [unit] = lease(0, 1, ["chatter", "400"]) as [UnitRun];
  const running = await executor(context).start(unit);
  const cutting = setInterval(() => cluster.cutLogs(true), 15);
  context.after(() => clearInterval(cutting));
  assert.equal((await running.exited).reason, "done");
  const lines = (await readFile(unit.folder.log, "utf8")).split("\n").filter((line) => line.startsWith("line "));
  assert.deepEqual(
    lines.map((line) => line.split(" ")[1]),
    Array.from({ length: 400 }, (_, i) => String(i)),
  );
});

test("what keeps units from running is found before any is leased; what is only missed is said", async (context) => {
  const under = executor(context);
  cluster.denied.add("list pods.metrics.k8s.io");
  assert.match((await under.probe())[0] ?? "", /does not let it list pods\.metrics\.k8s\.io/);
  cluster.denied.add("create jobs");
  await assert.rejects(under.probe(), { code: "ENGINE_UNAVAILABLE", message: /does not let it create jobs\.batch/ });
  cluster.denied.clear();
});
