/** The manifests, and what the executor may do, on the control plane of a real cluster that has no machines. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";

import { AuthorizationV1Api } from "@kubernetes/client-node";

import { KubernetesExecutor } from "@verai/executor/kubernetes";
import { Cluster } from "@verai/executor/kubernetes/cluster";
import { testSpec, testUnit, until } from "@verai/executor/testing";
import type { UnitRun } from "@verai/executor/executor";
import type { TaskSpecInput } from "@verai/executor/spec";
import { ControlPlane, noControlPlane } from "./support/control-plane.ts";
import { addCustomResources, overlay } from "./support/overlays.ts";

const skip = noControlPlane;
/** Seconds for what a cluster does in a few. */
const SOON = 300;
const OVERLAYS = ["base-sepolia", "base-mainnet"];
const WORKLOADS = ["drmp-agent", "drmp-indexer", "drmp-keepers", "drmp-sponsor", "drmp-web"];

let plane: ControlPlane;
let volume: string;
let leases = 0;
before(async () => {
  if (skip) return;
  volume = await mkdtemp(join(tmpdir(), "drmp-volume-"));
  plane = await ControlPlane.start();
});
after(async () => {
  if (skip) return;
  await plane.stop();
  await rm(volume, { recursive: true, force: true });
});

/** How often each object of an overlay has changed. */
async function generations(name: string): Promise<string[]> {
  const { items } = JSON.parse(await plane.kubectl("get", "--kustomize", overlay(name), "--output", "json")) as {
    items: { kind: string; metadata: { name: string; generation?: number } }[];
  };
  return items.map(({ kind, metadata }) => `${kind} ${metadata.name} ${String(metadata.generation ?? 1)}`);
}

/** An executor with the rights of an agent's pod. */
async function executor(context: TestContext, notices: string[] = []): Promise<KubernetesExecutor> {
  const opened = new KubernetesExecutor({
    cluster: new Cluster(plane.config(await plane.tokenOf("drmp", "drmp-agent")), "drmp"),
    settings: {
      namespace: "drmp",
      owner: "agent-0",
      volume: { claim: "drmp-work", path: join(volume, "agent-0"), subPath: "agent-0" },
      uid: 65532,
      gid: 65532,
      tmpMiB: 64,
      priorityClass: "drmp-unit",
      nodeSelector: {},
      gpuResource: "nvidia.com/gpu",
    },
    trainers: ["misbehaves"],
    trainerImage: "lab.example/trainer:1",
    allowOutbound: false,
    gpusPerUnit: 0,
    unitSize: { cpus: 1, memoryMiB: 1024, gpus: 0 },
    pollMs: 100,
    onNotice: (notice) => notices.push(notice),
    timeOuts: { troubledSeconds: 2, startSeconds: 60, podSeconds: 60, queuedSeconds: 60, lostSeconds: 2 },
  });
  context.after(() => opened.close());
  return opened;
}

function lease(count: number, changes: Partial<TaskSpecInput> = {}): UnitRun[] {
  const leaseId = ++leases;
  const spec = testSpec({ args: ["wait"], ...changes });
  return Array.from({ length: count }, (_, i) =>
    testUnit(join(volume, "agent-0", "leases", `${String(leaseId)}-1`, `unit-${String(i)}`), spec, {
      ...{ leaseId, leaseStart: 0, leaseUnits: count, unitIndex: i, unitCount: count },
    }),
  );
}

async function podsOf(unit: UnitRun) {
  const { items } = await plane.core.listNamespacedPod({ namespace: "drmp" });
  return items.filter(({ metadata }) => metadata?.name?.startsWith(`drmp-${String(unit.leaseId)}-`));
}

test("without KEDA an overlay says which kind it lacks", { skip }, async () => {
  await assert.rejects(
    plane.kubectl("apply", "--kustomize", overlay("base-sepolia")),
    /no matches for kind "ScaledObject"/,
  );
  await addCustomResources(plane);
});

for (const name of OVERLAYS) {
  test(`${name}: applied as documented, and once more without a change`, { skip }, async () => {
    await plane.kubectl("apply", "--kustomize", overlay(name));
    // A client says "configured" for what the server has filled in; what counts is that no object has changed.
    const before = await generations(name);
    await plane.kubectl("apply", "--kustomize", overlay(name));
    assert.deepEqual(await generations(name), before);
    // The other way to apply takes over without a conflict.
    await plane.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", overlay(name));
    await plane.kubectl("diff", "--server-side", "--force-conflicts", "--kustomize", overlay(name));
    const { items } = (await plane.custom.listNamespacedCustomObject({
      ...{ group: "keda.sh", version: "v1alpha1", namespace: "drmp", plural: "scaledobjects" },
    })) as { items: unknown[] };
    assert.equal(items.length, 1);
  });

  test(`${name}: every workload's pods pass the namespace's admission`, { skip }, async () => {
    const found = async () => {
      const { items } = await plane.core.listNamespacedPod({ namespace: "drmp" });
      return [...new Set(items.map(({ metadata }) => metadata?.labels?.["app.kubernetes.io/name"]))].sort();
    };
    await until("each workload has a pod", async () => (await found()).length === WORKLOADS.length, SOON);
    assert.deepEqual(await found(), WORKLOADS);
    const { items: events } = await plane.core.listNamespacedEvent({ namespace: "drmp" });
    const refused = events.filter(({ reason }) => reason === "FailedCreate");
    assert.deepEqual(
      refused.map(({ message }) => message),
      [],
    );
    // It would find what does not pass.
    await assert.rejects(
      plane.core.createNamespacedPod({
        namespace: "drmp",
        body: { metadata: { name: "plain" }, spec: { containers: [{ name: "plain", image: "plain" }] } },
      }),
      { code: 403, message: /violates PodSecurity/ },
    );
  });

  test(`${name}: applying it again keeps the number of agents that an autoscaler has set`, { skip }, async () => {
    await plane.kubectl("--namespace", "drmp", "scale", "statefulset", "drmp-agent", "--replicas", "3");
    await plane.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", overlay(name));
    await plane.kubectl("apply", "--kustomize", overlay(name));
    const { spec } = await plane.apps.readNamespacedStatefulSet({ namespace: "drmp", name: "drmp-agent" });
    assert.equal(spec?.replicas, 3);
  });

  if (name !== OVERLAYS.at(-1)) {
    test(`${name}: taken away again`, { skip }, async () => {
      await plane.kubectl("delete", "--wait", "--timeout=240s", "--kustomize", overlay(name));
    });
  }
}

test("an agent may do what the executor does, and nothing else", { skip }, async () => {
  const api = plane.config(await plane.tokenOf("drmp", "drmp-agent")).makeApiClient(AuthorizationV1Api);
  const allowed = async (namespace: string) => {
    const { status } = await api.createSelfSubjectRulesReview({ body: { spec: { namespace } } });
    assert.equal(status?.incomplete, false);
    return new Set(
      status.resourceRules.flatMap(({ verbs, apiGroups = [], resources = [] }) =>
        apiGroups
          // Every account may ask who it is, and what it may do.
          .filter((group) => !["authorization.k8s.io", "authentication.k8s.io"].includes(group))
          .flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`))),
      ),
    );
  };
  const everywhere = ["list /nodes", "list /pods"];
  assert.deepEqual([...(await allowed("default"))].sort(), everywhere);
  const own = [
    ...["create", "delete", "get", "list"].map((verb) => `${verb} batch/jobs`),
    ...["delete", "get", "patch"].map((verb) => `${verb} /pods`),
    ...["get", "list"].map((verb) => `${verb} metrics.k8s.io/pods`),
    "get /pods/log",
  ];
  assert.deepEqual([...(await allowed("drmp"))].sort(), [...everywhere, ...own].sort());
});

test("the probe passes with an agent's role, and names what the role lacks", { skip }, async (context) => {
  const under = await executor(context);
  // There is no metrics server.
  assert.match((await under.probe()).join("\n"), /CPU time of units cannot be read/);
  const role = await plane.roles.readNamespacedRole({ namespace: "drmp", name: "drmp-agent" });
  const { rules = [] } = role;
  const without = async (group: string) =>
    plane.roles.replaceNamespacedRole({
      ...{ namespace: "drmp", name: "drmp-agent" },
      body: {
        metadata: { name: "drmp-agent" },
        ...role,
        rules: rules.filter(({ apiGroups }) => !apiGroups?.includes(group)),
      },
    });
  delete role.metadata?.resourceVersion;
  await without("metrics.k8s.io");
  await until(
    "the role is narrower",
    async () => /does not let it list pods\.metrics/.test((await under.probe()).join()),
    SOON,
  );
  await without("batch");
  await until(
    "the role is narrower",
    async () => {
      const refused = await under.probe().catch((error: unknown) => String(error));
      return ["get", "list", "create", "delete"].every((verb) => refused.includes(`let it ${verb} jobs.batch`));
    },
    SOON,
  );
  await without("none");
  await until("the role is whole", async () => (await under.probe()).length > 0, SOON);
});

test(
  "a lease is one Job; its gates open; what waits for a machine says so, and leaves when it is drained",
  { skip },
  async (context) => {
    const under = await executor(context);
    const units = lease(2);
    const [first, second] = await Promise.all(units.map((unit) => under.start(unit)));
    assert.ok(first && second && units[0]);
    await until("a unit waits for its machine", () => /waits for its machine/.test(first.waiting?.() ?? ""), SOON);
    const pods = await podsOf(units[0]);
    assert.equal(pods.length, 2);
    assert.deepEqual(pods.map(({ metadata }) => metadata?.annotations?.["ai.verai.drmp/unit-index"]).sort(), [
      "0",
      "1",
    ]);
    assert.equal((await first.drain(1)).reason, "drained");
    assert.equal((await second.kill()).reason, "killed");
    await until("the Job is gone", async () => (await podsOf(units[0] as UnitRun)).length === 0, SOON);
  },
);

test("every option of a unit is admitted, without a warning", { skip }, async (context) => {
  const under = await executor(context);
  const resources = { cpus: 0.5, memoryMiB: 512, shmMiB: 128, ephemeralMiB: 512 };
  const [unit] = lease(1, { resources, network: "none", env: { MISBEHAVES_X: "$(HOME)" } });
  assert.ok(unit);
  const running = await under.start(unit);
  await until("its pod exists", async () => (await podsOf(unit)).length === 1, SOON);
  const [pod] = await podsOf(unit);
  assert.equal(pod?.spec?.priority, -100);
  await running.kill();
});

test(
  "a quota that is used up: the unit says why it waits, and begins when there is room",
  { skip },
  async (context) => {
    const quota = { namespace: "drmp", name: "full" };
    await plane.core.createNamespacedResourceQuota({
      namespace: "drmp",
      body: { metadata: { name: quota.name }, spec: { hard: { pods: "0" } } },
    });
    context.after(() => plane.core.deleteNamespacedResourceQuota(quota).catch(() => undefined));
    await until(
      "the quota counts",
      async () => (await plane.core.readNamespacedResourceQuota(quota)).status?.hard?.["pods"] === "0",
      30,
    );
    const under = await executor(context);
    const [unit] = lease(1);
    assert.ok(unit);
    const running = await under.start(unit);
    await until("it says why", () => /a quota or an admission policy/.test(running.waiting?.() ?? ""), SOON);
    await plane.core.deleteNamespacedResourceQuota(quota);
    await until("it waits for a machine", () => /waits for its machine/.test(running.waiting?.() ?? ""), SOON);
    await running.kill();
  },
);
