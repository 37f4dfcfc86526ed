import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { KubeConfig, type V1ContainerStatus, type V1PodStatus } from "@kubernetes/client-node";
import Docker from "dockerode";

import { LeaseSteps } from "@verai/agent/lease/steps";
import { LeaseTurns } from "@verai/agent/lease/turns";
import { DiskSpace, type FileSystemSpace } from "@verai/agent/node/disk";
import { type CallFault, TestCluster } from "../../test/support/kubernetes-api.ts";
import { schemaProblemOf } from "../../test/support/manifests.ts";
import { overDisk, usedBytes } from "@verai/executor/container/disk";
import { answer } from "@verai/executor/container/engine";
import { Images } from "@verai/executor/container/images";
import { LogCopy } from "@verai/executor/container/log-copy";
import { RunningContainer } from "@verai/executor/container/running";
import type { RunningUnit } from "@verai/executor/executor";
import { KubernetesExecutor } from "@verai/executor/kubernetes";
import { Cluster } from "@verai/executor/kubernetes/cluster";
import { BoundedLog } from "@verai/executor/log";
import { boundedUnit } from "@verai/executor/time-outs";
import { testSpec, testUnit, until } from "@verai/executor/testing";
import type { FaultCase, FaultContext, FaultKind } from "@verai/devnet/fault-case";

/** What pods run: does what its first argument says, at once. */
const PROGRAM = `
case "$1" in
  wait) trap 'exit 143' TERM; echo ready; while :; do sleep 0.05; done;;
  lines) i=0; while [ $i -lt 40 ]; do echo "line $i"; i=$((i+1)); sleep 0.02; done; echo {} > "$DRMP_OUTPUT_DIR/result.json";;
  finish) echo {} > "$DRMP_OUTPUT_DIR/result.json";;
esac
`;

/** A cluster, an executor on it, and a unit to run. */
interface Bench {
  readonly cluster: TestCluster;
  readonly client: Cluster;
  readonly executor: KubernetesExecutor;
  readonly notices: string[];
  readonly start: (args: string[]) => Promise<RunningUnit>;
  readonly pod: () => string;
  readonly log: () => Promise<string>;
}

const CALL_MS = 800;

/** Runs a case with a cluster of its own. */
async function withCluster({ directory }: FaultContext, use: (bench: Bench) => Promise<void>): Promise<void> {
  await writeFile(join(directory, "program.sh"), PROGRAM);
  // Read before the first Job is checked by it, which takes longer than a call may.
  await schemaProblemOf({ apiVersion: "batch/v1", kind: "Job" });
  const cluster = new TestCluster(directory, ["/bin/sh", join(directory, "program.sh")]);
  const config = new KubeConfig();
  const server = await cluster.start();
  config.loadFromClusterAndUser({ name: "faults", server, skipTLSVerify: true }, { name: "agent" });
  const notices: string[] = [];
  const client = new Cluster(config, "drmp", CALL_MS);
  const executor = new KubernetesExecutor({
    cluster: client,
    settings: {
      namespace: "drmp",
      owner: "agent-0",
      volume: { claim: "work", path: directory, subPath: "" },
      uid: 65532,
      gid: 65532,
      tmpMiB: 64,
      nodeSelector: {},
      gpuResource: "nvidia.com/gpu",
    },
    trainers: ["misbehaves"],
    trainerImage: "lab.example/trainer:1",
    allowOutbound: false,
    gpusPerUnit: 0,
    unitSize: { cpus: 1, memoryMiB: 1024, gpus: 0 },
    pollMs: 30,
    onNotice: (notice) => notices.push(notice),
    timeOuts: { troubledSeconds: 0.3, startSeconds: 0.6, podSeconds: 0.3, queuedSeconds: 0.3, lostSeconds: 0.3 },
  });
  const unit = testUnit(join(directory, "leases/1-1/unit-0"), testSpec({ args: [] }));
  try {
    await use({
      cluster,
      client,
      executor,
      notices,
      start: async (args) =>
        executor.start({ ...unit, spec: testSpec({ args, timeouts: { unitSeconds: 60, graceSeconds: 1 } }) }),
      pod: () => [...cluster.pods.keys()].at(-1) ?? "",
      log: async () => readFile(unit.folder.log, "utf8"),
    });
  } finally {
    await executor.close();
    await cluster.stop();
  }
}

const running = async (unit: RunningUnit) =>
  until("the unit runs", async () => (await unit.logTail(2000)).includes("ready\n"), 10);

/** An API server that misbehaves while a unit runs and is told to stop: nothing is concluded, and it ends afterwards. */
const CALLS: readonly [name: string, call: string, fault: CallFault][] = [
  ["that never answers", "*", "hang"],
  ["that cuts every connection", "*", "reset"],
  ["behind a proxy that answers with a page", "*", "page"],
  ["that begins answers and does not end them", "*", "stall"],
  ["that answers 500", "*", 500],
  ["that limits its rate", "*", 429],
  ["whose token has expired", "*", 401],
  ["that hangs when a pod is deleted", "DELETE pods", "hang"],
  ["that answers lists of pods with a page", "GET pods", "page"],
];

const calls: FaultCase[] = CALLS.map(([name, call, fault], i) => ({
  name: `an API server ${name}, while a unit is to be killed`,
  ...(i < 4 ? {} : { slow: true }),
  run: async (context) =>
    withCluster(context, async ({ cluster, start }) => {
      const unit = await start(["wait"]);
      await running(unit);
      cluster.faults.set(call, fault);
      const killed = unit.kill();
      const early = await Promise.race([killed.then(({ reason }) => reason), sleep(500, "none")]);
      assert.equal(early, "none", "its end was concluded from an answer that says nothing");
      cluster.faults.clear();
      assert.equal((await killed).reason, "killed");
    }),
}));

const LOGS: readonly [name: string, fault: (cluster: TestCluster) => void][] = [
  ["is cut", (cluster) => cluster.cutLogs()],
  ["is cut within a line", (cluster) => cluster.cutLogs(true)],
  ["is ended as if it were complete", (cluster) => cluster.endLogs()],
  ["is forbidden from then on for a while", (cluster) => brief(cluster, 403)],
  ["cannot be had for a while", (cluster) => brief(cluster, 500)],
  ["hangs for a while when it is asked for again", (cluster) => brief(cluster, "hang")],
];

function brief(cluster: TestCluster, fault: CallFault): void {
  cluster.faults.set("GET log", fault);
  cluster.cutLogs();
  setTimeout(() => cluster.faults.clear(), 400);
}

const LINES = Array.from({ length: 40 }, (_, i) => `line ${String(i)}`);

const logs: FaultCase[] = [
  ...LOGS.map(([name, fault], i): FaultCase => ({
    name: `a followed log that ${name}`,
    ...(i < 3 ? {} : { slow: true }),
    run: async (context) =>
      withCluster(context, async ({ cluster, start, log }) => {
        const unit = await start(["lines"]);
        await until("some lines are here", async () => (await log()).includes("line 5\n"), 10);
        fault(cluster);
        assert.equal((await unit.exited).reason, "done");
        const lines = (await log()).split("\n").filter((line) => line.startsWith("line "));
        assert.deepEqual(lines, LINES);
      }),
  })),
  {
    name: "a followed log that falls silent, though its connection stands",
    run: async (context) =>
      withCluster(context, async ({ cluster, client, start, pod }) => {
        const unit = await start(["lines"]);
        await until("it runs", () => (cluster.pods.get(pod())?.log.length ?? 0) > 3, 10);
        let text = "";
        const into = { append: async (part: Uint8Array | string) => void (text += Buffer.from(part).toString()) };
        cluster.silent = true;
        const copy = new LogCopy(client.openLog(pod()), into, 0, 200);
        await sleep(100);
        cluster.silent = false;
        await until("it is followed again", () => text.includes("line 3\n"), 5);
        await unit.exited;
        await copy.finish();
        assert.deepEqual(
          text.split("\n").filter((line) => line.startsWith("line ")),
          LINES,
        );
      }),
  },
];

const terminated = (exitCode: number, reason: string, message?: string): V1ContainerStatus[] => [
  {
    name: "unit",
    image: "",
    imageID: "",
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode, reason, ...(message === undefined ? {} : { message }) } },
  },
];

/** Ends of pods that ran, in the cluster's words. */
const ENDS: readonly [name: string, status: V1PodStatus, reason: string, says: RegExp][] = [
  [
    "evicted for its own log",
    {
      phase: "Failed",
      reason: "Evicted",
      message: "Pod ephemeral local storage usage exceeds the total limit of containers 256Mi.",
      containerStatuses: terminated(137, "Error"),
    },
    "failed",
    /raise resources\.ephemeralMiB/,
  ],
  [
    "evicted because its machine is low on memory, without a condition",
    { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." },
    "evicted",
    /low on resource: memory/,
  ],
  [
    "ended by the shutdown of its machine",
    {
      phase: "Failed",
      reason: "Terminated",
      message: "Pod was terminated in response to imminent node shutdown.",
      containerStatuses: terminated(143, "Error"),
    },
    "evicted",
    /node shutdown/,
  ],
  [
    "whose container cannot be found",
    {
      phase: "Failed",
      containerStatuses: terminated(137, "ContainerStatusUnknown", "The container could not be located"),
    },
    "evicted",
    /could not be located/,
  ],
  [
    "whose command does not exist",
    {
      phase: "Failed",
      containerStatuses: terminated(128, "StartError", 'exec: "python": executable file not found in $PATH'),
    },
    "failed",
    /cannot be started .*executable file not found/,
  ],
  [
    "whose machine's driver was not loaded",
    {
      phase: "Failed",
      containerStatuses: terminated(128, "StartError", "nvidia-container-cli: initialization error: driver not loaded"),
    },
    "unstarted",
    /nothing of it ran .*driver not loaded/,
  ],
  [
    "that ran out of memory",
    { phase: "Failed", containerStatuses: terminated(137, "OOMKilled") },
    "failed",
    /raise resources\.memoryMiB/,
  ],
  [
    "past its deadline",
    {
      phase: "Failed",
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
      containerStatuses: terminated(143, "Error"),
    },
    "timeout",
    /timeouts\.unitSeconds/,
  ],
];

/** Pods that are turned away before they run. */
const TURNED_AWAY: readonly [reason: string, message: string][] = [
  [
    "UnexpectedAdmissionError",
    "Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu",
  ],
  ["OutOfnvidia.com/gpu", "Node didn't have enough resource: nvidia.com/gpu, requested: 1, used: 8, capacity: 8"],
  ["NodeAffinity", "Predicate NodeAffinity failed"],
  ["NodeShutdown", "Pod was rejected as the node is shutting down."],
  ["DeadlineExceeded", "Pod was active on the node longer than the specified deadline"],
];

/** Pods that wait. */
const WAITING: readonly [reason: string, message: string, ends: string, says: RegExp][] = [
  ["InvalidImageName", "couldn't parse image", "failed", /cannot be started \(InvalidImageName/],
  ["ErrImagePull", "no match for platform in manifest", "failed", /cannot be started .*no match for platform/],
  [
    "ImagePullBackOff",
    "dial tcp: lookup registry.example: no such host",
    "unstarted",
    /nothing of it ran \(ImagePullBackOff/,
  ],
  ["CreateContainerError", "context deadline exceeded", "unstarted", /nothing of it ran \(CreateContainerError/],
  ["CreateContainerConfigError", "failed to prepare subPath for volumeMount", "unstarted", /subPath/],
];

const pods: FaultCase[] = [
  ...ENDS.map(([name, status, reason, says]): FaultCase => ({
    name: `a pod ${name}`,
    run: async (context) =>
      withCluster(context, async ({ cluster, start, pod }) => {
        const unit = await start(["wait"]);
        await running(unit);
        cluster.endWith(pod(), status);
        const exit = await unit.exited;
        assert.equal(exit.reason, reason, exit.detail);
        assert.match(exit.detail, says);
      }),
  })),
  ...TURNED_AWAY.map(([reason, message], i): FaultCase => ({
    name: `a pod turned away before it ran: ${reason}`,
    ...(i < 3 ? {} : { slow: true }),
    run: async (context) =>
      withCluster(context, async ({ cluster, start }) => {
        cluster.turnsAway = { phase: "Failed", reason, message };
        const exit = await (await start(["finish"])).exited;
        assert.equal(exit.reason, "unstarted", exit.detail);
        assert.ok(exit.detail.includes(reason), exit.detail);
        // And again, where nothing ran.
        cluster.turnsAway = undefined;
        assert.equal((await (await start(["finish"])).exited).reason, "done");
      }),
  })),
  ...WAITING.map(([reason, message, ends, says]): FaultCase => ({
    name: `a pod that waits: ${reason}, ${message}`,
    run: async (context) =>
      withCluster(context, async ({ cluster, start }) => {
        cluster.startsWith = { reason, message };
        const unit = await start(["finish"]);
        if (ends === "unstarted")
          await until("it says what it waits for", () => unit.waiting?.()?.includes(reason) ?? false, 5);
        const exit = await unit.exited;
        assert.equal(exit.reason, ends, exit.detail);
        assert.match(exit.detail, says);
      }),
  })),
  {
    name: "a Job that makes no pod, for a quota",
    run: async (context) =>
      withCluster(context, async ({ cluster, start }) => {
        cluster.makesNoPods = true;
        const exit = await (await start(["finish"])).exited;
        assert.equal(exit.reason, "unstarted", exit.detail);
        assert.match(exit.detail, /quota/);
      }),
  },
  {
    name: "a unit that fits nowhere",
    run: async (context) =>
      withCluster(context, async ({ cluster, start }) => {
        cluster.fitsNowhere = "0/2 nodes are available: 2 Insufficient cpu.";
        const unit = await start(["finish"]);
        await until("it says what it waits for", () => unit.waiting?.()?.includes("Insufficient cpu") ?? false, 5);
        const exit = await unit.exited;
        assert.equal(exit.reason, "unstarted", exit.detail);
        assert.match(exit.detail, /Insufficient cpu/);
      }),
  },
  {
    name: "a unit that fits nowhere, and is told to stop: nothing of it runs",
    run: async (context) =>
      withCluster(context, async ({ cluster, start }) => {
        cluster.fitsNowhere = "0/2 nodes are available: 2 Insufficient cpu.";
        const unit = await start(["finish"]);
        await until("it waits", () => unit.waiting?.() !== undefined, 5);
        const exit = await unit.drain(1);
        assert.equal(exit.reason, "drained", exit.detail);
      }),
  },
  {
    name: "a machine that is lost: its pod is Terminating for ever",
    run: async (context) =>
      withCluster(context, async ({ cluster, client, start, pod }) => {
        const unit = await start(["wait"]);
        await running(unit);
        cluster.loseMachineOf(pod());
        await client.deletePod(pod(), 0);
        const exit = await unit.exited;
        assert.equal(exit.reason, "lost", exit.detail);
        assert.match(exit.detail, /may run there still/);
      }),
  },
  {
    name: "a pod that somebody else deletes, and whose program drains",
    run: async (context) =>
      withCluster(context, async ({ client, start, pod }) => {
        const unit = await start(["wait"]);
        await running(unit);
        await client.deletePod(pod(), 5);
        const exit = await unit.exited;
        assert.equal(exit.reason, "evicted", exit.detail);
      }),
  },
];

/** What the role may lack. */
const DENIED = ["create jobs", "list pods", "patch pods", "delete pods", "get pods/log", "list nodes"];

const roles: FaultCase[] = [
  ...DENIED.map((denied): FaultCase => ({
    name: `a role that may not ${denied}`,
    run: async (context) =>
      withCluster(context, async ({ cluster, executor }) => {
        cluster.denied.add(denied);
        await assert.rejects(executor.probe(), (error: Error) => error.message.includes(`does not let it ${denied}`));
      }),
  })),
  {
    name: "a role that may not read the metrics, while units run",
    run: async (context) =>
      withCluster(context, async ({ cluster, executor, notices, start }) => {
        cluster.denied.add("list pods.metrics.k8s.io");
        const [notice = ""] = await executor.probe();
        assert.match(notice, /does not let it list pods\.metrics\.k8s\.io/);
        const unit = await start(["lines"]);
        assert.equal((await unit.exited).reason, "done");
        assert.equal(notices.filter((each) => each.includes("CPU time")).length, 1, notices.join("; "));
      }),
  },
  {
    name: "a shared volume whose root belongs to somebody else",
    run: async ({ directory }) => {
      const volume = join(directory, "volume");
      await mkdir(volume, { mode: 0o555 });
      await chmod(directory, 0o755);
      // In a process that is not root, as root may write anywhere.
      const code = `
        const { KubernetesExecutor } = await import(${JSON.stringify(new URL("../../packages/executor/kubernetes.ts", import.meta.url).href)});
        const settings = { namespace: "drmp", owner: "o", volume: { claim: "drmp-work", path: ${JSON.stringify(volume)}, subPath: "" }, uid: 65532, gid: 65532, tmpMiB: 64, nodeSelector: {}, gpuResource: "x" };
        const cluster = { may: async () => true, cpusInUse: async () => new Map() };
        if (process.getuid() === 0) { process.setgid(65532); process.setuid(65532); }
        await new KubernetesExecutor({ cluster, settings, trainers: [] }).probe().then(() => console.log("nothing said"), (error) => console.log(error.message));
        process.exit(0);`;
      const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
      assert.match(
        stdout,
        /drmp-work cannot be written to .* by user 65532 \(EACCES\): give the volume's root to/,
        stderr,
      );
    },
  },
];

/** A container engine's socket that misbehaves. */
async function withEngine(
  { directory }: FaultContext,
  serve: (request: IncomingMessage, response: ServerResponse) => void,
  use: (docker: Docker, server: Server) => Promise<void>,
): Promise<void> {
  const server = createServer(serve);
  const socketPath = join(directory, "engine.sock");
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  try {
    await use(new Docker({ socketPath }), server);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void;
const hang: Serve = () => undefined;

const ENGINES: readonly [name: string, serve: Serve][] = [
  ["that never answers", hang],
  [
    "that begins an answer and cuts it",
    (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"ID": ');
      setTimeout(() => response.destroy(), 20);
    },
  ],
  [
    "that begins an answer and does not end it",
    (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write("{");
    },
  ],
  ["that cuts every connection", (request) => request.destroy()],
];

const PULLS: readonly [name: string, serve: Serve, free: (look: number) => number, says: RegExp][] = [
  [
    "whose layers unpack to more than its bound",
    streaming,
    (look) => (look === 0 ? 100e9 : 10e9),
    /is larger than the 1024 MiB/,
  ],
  [
    "that would fill the engine's disk",
    streaming,
    (look) => (look === 0 ? 1e9 : 0.1e9),
    /was given up while it was pulled/,
  ],
  [
    "whose pull ends without a word",
    (request, response) => {
      streaming(request, response);
      setTimeout(() => response.destroy(), 100);
    },
    () => 100e9,
    /cannot be pulled/,
  ],
  ["whose pull stays silent", streaming, () => 100e9, /it took more than 1 s/],
];

function streaming(request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "POST") {
    response.writeHead(404, { "content-type": "application/json" });
    response.end('{"message": "no such image"}');
    return;
  }
  response.writeHead(200, { "content-type": "application/json" });
  response.write(`${JSON.stringify({ status: "Extracting", id: "a" })}\n`);
}

const docker: FaultCase[] = [
  ...ENGINES.map(([name, serve]): FaultCase => ({
    name: `a container engine ${name}, asked for a thing`,
    run: async (context) =>
      withEngine(context, serve, async (engine) => {
        const started = performance.now();
        await assert.rejects(answer(() => engine.info(), 300));
        assert.ok(performance.now() - started < 2000);
      }),
  })),
  ...ENGINES.slice(0, 2).map(([name, serve]): FaultCase => ({
    name: `a container engine ${name}, while a unit is to be killed`,
    run: async (context) =>
      withEngine(context, serve, async (engine) => {
        const unit = testUnit(join(context.directory, "u"), testSpec({}));
        await mkdir(unit.folder.root, { recursive: true });
        const inner = new RunningContainer({
          engine: { docker: engine, podman: false },
          container: engine.getContainer("c".repeat(64)),
          unit,
          log: await BoundedLog.open(unit.folder.log, 10_000),
          startedAt: Number.MAX_SAFE_INTEGER,
          logSince: 0,
          diskMiB: 10,
          scratchMiB: undefined,
        });
        const bounded = boundedUnit(inner, 0.3);
        assert.equal((await bounded.drain(0.1)).reason, "lost");
        assert.match((await bounded.kill()).detail, /may run still/);
        inner.detach();
      }),
  })),
  ...PULLS.map(([name, serve, free, says]): FaultCase => ({
    name: `an image ${name}`,
    run: async (context) =>
      withEngine(context, serve, async (engine) => {
        let looks = 0;
        const limits = { totalMiB: 4096, eachMiB: 1024, pullSeconds: name.includes("silent") ? 1 : 30 };
        const images = new Images({ docker: engine }, join(context.directory, "images.json"), limits, async () =>
          Promise.resolve(free(looks++)),
        );
        await assert.rejects(images.get(`lab.example/x@sha256:${"a".repeat(64)}`), {
          code: "IMAGE_UNAVAILABLE",
          message: says,
        });
      }),
  })),
];

const room = (changes: Partial<FileSystemSpace>): FileSystemSpace => ({
  bavail: 1e6,
  bsize: 4096,
  files: 1e6,
  ffree: 1e6,
  ...changes,
});

const host: FaultCase[] = [
  {
    name: "two thousand empty files",
    run: async ({ directory }) => {
      for (let i = 0; i < 2000; i++) await writeFile(join(directory, String(i)), "");
      const used = await usedBytes([directory], Infinity);
      assert.ok(used >= 2_000_000, `they count as ${String(used)} bytes`);
      assert.match((await overDisk([directory], 1)) ?? "nothing is said", /more than the 1 MiB/);
    },
  },
  {
    name: "a disk without inodes, then with a few, then with enough",
    run: async () => {
      let ffree = 100;
      const disk = new DiskSpace("/d", 1024, async () => Promise.resolve(room({ ffree })));
      assert.match((await disk.look()) ?? "there is room", /no room for more files: 100 inodes/);
      ffree = 15_000;
      assert.ok(await disk.look(), "it comes and goes on the edge");
      ffree = 20_000;
      assert.equal(await disk.look(), undefined);
    },
  },
  {
    name: "a file system without a fixed number of inodes",
    run: async () => {
      const disk = new DiskSpace("/d", 1024, async () => Promise.resolve(room({ files: 0, ffree: 0 })));
      assert.equal(await disk.look(), undefined);
    },
  },
  {
    name: "a full volume of the cluster, beside an agent's disk with room",
    run: async () => {
      const disk = new DiskSpace(["/data", "/work"], 2 ** 20, async (path) =>
        Promise.resolve(room(path === "/work" ? { bavail: 0 } : {})),
      );
      assert.match((await disk.look()) ?? "there is room", /The disk of \/work is full/);
    },
  },
];

const leases: FaultCase[] = [
  {
    name: "a lease whose engine never ends its unit, which is to be given back",
    run: async () => {
      const sent: string[] = [];
      const lease = { id: 7, fence: 1, status: "active", due: 1000, count: 1 } as never;
      const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
      const parts = {
        logger: silent,
        graceSeconds: 2,
        session: {
          contracts: { leases: { release: { populateTransaction: async () => Promise.resolve({ to: "0x" }) } } },
          reader: { block: async () => Promise.resolve({}), leasesById: async () => Promise.resolve([lease]) },
        },
        queue: {
          submit: async ({ label, prepare }: { label: string; prepare: () => Promise<unknown> }) => {
            await prepare();
            sent.push(label);
            return {};
          },
        },
      };
      const work = { stop: async () => new Promise(() => undefined) };
      const steps = new LeaseSteps(
        parts as never,
        { works: new Map([[7, work]]) } as never,
        {} as never,
        () => undefined,
      );
      const step = {
        kind: "release",
        leaseId: 7,
        why: "no checkpoint came in time",
        reason: "noHeadway",
        unlessRenewed: 1000,
      } as const;
      const taken = await Promise.race([
        steps.take([step], [lease], {} as never).then(() => "taken"),
        sleep(1000, "waits"),
      ]);
      assert.equal(taken, "taken");
      assert.deepEqual(sent, ["release 7"]);
    },
  },
  {
    name: "a lease whose step hangs, beside others",
    run: async () => {
      const turns = new LeaseTurns();
      turns.begin(1, async () => new Promise(() => undefined));
      let other = false;
      turns.begin(2, async () => void (other = await Promise.resolve(true)));
      const started = performance.now();
      assert.equal(await turns.settle(100), false);
      assert.ok(performance.now() - started < 1000 && other);
      assert.deepEqual([turns.busy(1), turns.busy(2)], [true, false]);
    },
  },
];

/** Container engines and clusters that hang, break, forbid, lose machines and end units for reasons of their own. */
export const engines: FaultKind = {
  name: "engines",
  guarantee:
    "nothing waits for an engine without bound, no line of a log is lost or doubled, and each end has its own word",
  cases: [...calls, ...logs, ...pods, ...roles, ...docker, ...host, ...leases],
};
