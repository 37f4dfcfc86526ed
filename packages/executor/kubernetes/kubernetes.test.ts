import assert from "node:assert/strict";
import { test } from "node:test";

import type { V1Node, V1Pod } from "@kubernetes/client-node";

import { indices } from "../kubernetes.ts";
import { testSpec, testUnit } from "../testing.ts";
import { quantity, unitsThatFit } from "./capacity.ts";
import { type ClusterSettings, jobFor, jobName, NAMES, openGate } from "./job.ts";
import { podOfIndex, stateOf } from "./pods.ts";

const settings: ClusterSettings = {
  namespace: "drmp",
  owner: "me",
  volume: { claim: "work", path: "/volume", subPath: "agent-0" },
  uid: 65532,
  gid: 65532,
  tmpMiB: 64,
  nodeSelector: {},
  gpuResource: "nvidia.com/gpu",
};
const unit = testUnit("/volume/leases/7-1/unit-12", testSpec({ env: { MISBEHAVES_X: "$(HOME)" } }), {
  leaseId: 7,
  leaseStart: 10,
  leaseUnits: 4,
  unitIndex: 12,
  unitCount: 20,
});
const range = { first: 10, count: 4 };

test("a lease is one Indexed Job, whichever of its units comes first", () => {
  const job = jobFor(unit, range, "image", "name", settings);
  const sibling = {
    ...unit,
    unitIndex: 10,
    attempt: 3,
    folder: { ...unit.folder, root: "/volume/leases/7-1/unit-10" },
  };
  assert.deepEqual(jobFor(sibling, range, "image", "name", settings), job);
  assert.equal(jobName(sibling, range, settings, 0), jobName(unit, range, settings, 0));
  assert.notEqual(jobName(unit, { first: 12, count: 1 }, settings, 1), jobName(unit, range, settings, 0));
  assert.notEqual(jobName(unit, range, { owner: "another" }, 0), jobName(unit, range, settings, 0));
  assert.equal(job.spec?.completionMode, "Indexed");
  assert.deepEqual([job.spec?.completions, job.spec?.parallelism, job.spec?.backoffLimitPerIndex], [4, 4, 0]);
  assert.deepEqual(
    job.spec?.podFailurePolicy?.rules.map(({ action }) => action),
    ["Ignore", "FailIndex"],
  );
});

test("its pods may do nothing: the restricted profile, no token, no writing but where they should", () => {
  const { spec: pod, metadata } = jobFor(unit, range, "image", "name", settings).spec?.template ?? {};
  assert.equal(pod?.automountServiceAccountToken, false);
  assert.equal(pod?.restartPolicy, "Never");
  assert.equal(pod?.securityContext?.runAsNonRoot, true);
  assert.equal(pod?.securityContext?.seccompProfile?.type, "RuntimeDefault");
  assert.equal(pod?.activeDeadlineSeconds, 60 + 1800, "the time to start is not the unit's");
  assert.equal(metadata?.labels?.[NAMES.network], undefined);
  const [container] = pod?.containers ?? [];
  assert.deepEqual(container?.securityContext, {
    allowPrivilegeEscalation: false,
    privileged: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
  assert.deepEqual(container?.resources?.limits, { cpu: "1000m", memory: "256Mi", "ephemeral-storage": "256Mi" });
  assert.deepEqual(container?.resources?.requests, container?.resources?.limits);
  assert.deepEqual(
    container?.volumeMounts?.map(({ mountPath, subPathExpr, readOnly }) => [mountPath, subPathExpr, readOnly]),
    [
      ["/verai/checkpoint", "agent-0/leases/7-1/unit-$(DRMP_UNIT_INDEX)/checkpoint", false],
      ["/verai/input", "agent-0/leases/7-1/unit-$(DRMP_UNIT_INDEX)/input", true],
      ["/verai/output", "agent-0/leases/7-1/unit-$(DRMP_UNIT_INDEX)/output", false],
      ["/etc/passwd", "agent-0/leases/7-1/unit-$(DRMP_UNIT_INDEX)/accounts/passwd", true],
      ["/etc/group", "agent-0/leases/7-1/unit-$(DRMP_UNIT_INDEX)/accounts/group", true],
      ["/tmp", undefined, undefined],
    ],
  );
  assert.equal(container?.env?.find(({ name }) => name === "OMP_NUM_THREADS")?.value, "1");
  const env = new Map(container?.env?.map((each) => [each.name, each]));
  assert.equal(env.get("DRMP_UNIT_INDEX")?.valueFrom?.fieldRef?.fieldPath, `metadata.annotations['${NAMES.index}']`);
  assert.equal(env.get("DRMP_UNIT_COUNT")?.value, "20");
  assert.equal(env.get("MISBEHAVES_X")?.value, "$$(HOME)", "no reference to another variable");
  assert.deepEqual(pod?.schedulingGates, [{ name: NAMES.gate }]);
  assert.deepEqual(openGate(12, 3), {
    metadata: { annotations: { [NAMES.index]: "12", [NAMES.attempt]: "3" } },
    spec: { schedulingGates: null },
  });
});

test("with a queue the Job is suspended until Kueue lets it begin", () => {
  const queued = jobFor(unit, range, "image", "name", { ...settings, queue: "rented" });
  assert.equal(queued.metadata?.labels?.["kueue.x-k8s.io/queue-name"], "rented");
  assert.equal(queued.spec?.suspend, true);
  assert.equal(queued.spec.template.metadata?.labels?.["kueue.x-k8s.io/queue-name"], undefined, "of the Job alone");
  assert.equal(jobFor(unit, range, "image", "name", settings).spec?.suspend, undefined);
});

test("shared memory as the spec asks, in memory that counts", () => {
  const resources = { ...unit.spec.resources, shmMiB: 128 };
  const { spec } = jobFor({ ...unit, spec: { ...unit.spec, resources } }, range, "image", "name", settings);
  const pod = spec?.template.spec;
  assert.deepEqual(
    pod?.volumes?.find(({ name }) => name === "shm"),
    { name: "shm", emptyDir: { medium: "Memory", sizeLimit: "128Mi" } },
  );
  assert.deepEqual(pod?.containers[0]?.volumeMounts?.at(-1), { name: "shm", mountPath: "/dev/shm" });
});

test("a folder that is not on the shared volume cannot be mounted", () => {
  const elsewhere = { ...unit, folder: { ...unit.folder, root: "/data/leases/7-1/unit-12" } };
  assert.throws(() => jobFor(elsewhere, range, "image", "name", settings), {
    code: "START_FAILED",
    message: /not on the volume work, which the agent has at \/volume: correct executor\.volume\.path/,
  });
});

test("what a pod's status means", () => {
  const pod = (status: object, spec: object = {}): V1Pod => ({ status, spec: { containers: [], ...spec } });
  const terminated = (exitCode: number, reason = "Error") => ({
    containerStatuses: [{ name: "unit", state: { terminated: { exitCode, reason } } }],
  });
  const lost = { conditions: [{ type: "DisruptionTarget", status: "True" }] };
  assert.deepEqual(stateOf(pod({ phase: "Pending" }, { schedulingGates: [{ name: NAMES.gate }] })), { kind: "gated" });
  assert.deepEqual(stateOf(pod({ phase: "Running" })), { kind: "running", at: undefined });
  const end = (status: object) => {
    const state = stateOf(pod(status));
    return state.kind === "ended" ? [state.code, state.cause] : state.kind;
  };
  assert.deepEqual(end({ phase: "Succeeded", ...terminated(0, "Completed") }), [0, undefined]);
  assert.deepEqual(end({ phase: "Failed", ...terminated(137, "OOMKilled") }), [137, "memory"]);
  assert.deepEqual(end({ phase: "Failed", reason: "DeadlineExceeded", ...terminated(143) }), [143, "timeout"]);
  assert.deepEqual(end({ phase: "Failed", reason: "DeadlineExceeded" }), [137, "unstarted"], "its image never came");
  assert.deepEqual(end({ phase: "Failed", ...lost, ...terminated(143) }), "taken");
  assert.deepEqual(end({ phase: "Failed", ...lost }), "taken", "its machine is gone");
  assert.deepEqual(end({ phase: "Succeeded", ...lost, ...terminated(0) }), [0, undefined]);
  const waiting = (reason: string, message = "m") =>
    pod({ phase: "Pending", containerStatuses: [{ name: "unit", state: { waiting: { reason, message } } }] });
  const pending = { kind: "pending", why: "ErrImagePull: m" };
  assert.deepEqual(stateOf(waiting("ErrImagePull")), { ...pending, wait: "long" }, "a registry may come back");
  const waitOf = (state: ReturnType<typeof stateOf>) => (state.kind === "pending" ? state.wait : state.kind);
  assert.equal(waitOf(stateOf(waiting("InvalidImageName"))), "none");
  assert.equal(waitOf(stateOf(waiting("ErrImagePull", "no match for platform in manifest"))), "none");
  assert.equal(waitOf(stateOf(waiting("CreateContainerError"))), "short");
});

test("the youngest pod of an index counts, of its own Job", () => {
  const pod = (name: string, job: string, index: number, second: number): V1Pod => ({
    metadata: {
      name,
      annotations: { [NAMES.completionIndex]: String(index) },
      creationTimestamp: new Date(second * 1000),
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: job, uid: job }],
    },
  });
  const pods = [pod("old", "a", 1, 1), pod("new", "a", 1, 2), pod("zero", "a", 0, 3), pod("other", "b", 1, 4)];
  assert.equal(podOfIndex(pods, "a", 1)?.metadata?.name, "new");
  assert.equal(podOfIndex(pods, "a", 2), undefined);
  assert.deepEqual([...indices("0,2-4,7")], [0, 2, 3, 4, 7]);
  assert.deepEqual([...indices(undefined)], []);
});

test("quantities as Kubernetes writes them", () => {
  const cases = {
    "250m": 0.25,
    "1.5": 1.5,
    "2": 2,
    "64Mi": 67108864,
    "1Gi": 2 ** 30,
    "5k": 5000,
    "100n": 1e-7,
    "1e3": 1000,
  };
  for (const [text, value] of Object.entries(cases)) {
    assert.ok(Math.abs(quantity(text) - value) <= value * 1e-12, `${text} is ${quantity(text)}`);
  }
  assert.equal(quantity(undefined), 0);
  assert.ok(Number.isNaN(quantity("x")));
});

test("units that fit: by machine, in whole ones, after what is asked for already", () => {
  const machine = (
    name: string,
    changes: { spec?: object; ready?: string; labels?: Record<string, string> } = {},
  ): V1Node => ({
    metadata: { name, labels: changes.labels ?? {} },
    spec: changes.spec ?? {},
    status: {
      allocatable: { cpu: "4", memory: "8Gi", pods: "10", "nvidia.com/gpu": "1" },
      conditions: [{ type: "Ready", status: changes.ready ?? "True" }],
    },
  });
  const pod = (nodeName: string | undefined, cpu: string, phase = "Running", init?: string): V1Pod =>
    ({
      spec: {
        nodeName,
        containers: [{ resources: { requests: { cpu, memory: "1Gi" } } }],
        initContainers: init === undefined ? [] : [{ resources: { requests: { cpu: init } } }],
      },
      status: { phase },
    }) as unknown as V1Pod;
  const small = { cpus: 1, memoryMiB: 1024, gpus: 0, pods: 1 };
  const fit = (nodes: V1Node[], pods: V1Pod[], room = small, selector = {}) =>
    unitsThatFit(nodes, pods, room, selector);
  const [a, b] = [machine("a"), machine("b")];
  assert.equal(fit([a, b], []), 8);
  assert.equal(fit([a, b], [pod("a", "1500m")]), 6, "2.5 CPUs are two units");
  assert.equal(fit([a], [pod("a", "1", "Succeeded"), pod(undefined, "4", "Pending")]), 4);
  assert.equal(fit([a], [pod("a", "500m", "Running", "3")]), 1, "an init container that is larger counts");
  assert.equal(fit([a], [], { ...small, memoryMiB: 3000 }), 2);
  assert.equal(fit([a, b], [], { ...small, gpus: 1 }), 2);
  assert.equal(fit([machine("c", { ready: "False" }), machine("d", { spec: { unschedulable: true } })], []), 0);
  assert.equal(fit([machine("e", { spec: { taints: [{ key: "k", effect: "NoSchedule" }] } })], []), 0);
  assert.equal(fit([machine("f", { spec: { taints: [{ key: "k", effect: "PreferNoSchedule" }] } })], []), 4);
  assert.equal(fit([a, machine("g", { labels: { drmp: "yes" } })], [], small, { drmp: "yes" }), 4);
});
