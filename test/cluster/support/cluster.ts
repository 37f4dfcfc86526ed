import { chownSync, chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import type { V1Pod } from "@kubernetes/client-node";
import { parseAllDocuments, stringify } from "yaml";

import type { PodTimeOuts } from "@verai/executor/kubernetes/running";
import { parseSpec, specBytes, type TaskSpecInput } from "@verai/executor/spec";
import { testSpec, testUnit } from "@verai/executor/testing";
import type { UnitRun } from "@verai/executor/executor";
import { type ServedImage, TestRegistry } from "../../support/registry.ts";
import { packRootFs, removeRootFs } from "../../support/root-fs.ts";
import type { AgentOptions } from "../agent.ts";
import { AgentProcess, type AgentUnit, USER } from "./agent-process.ts";
import { built, ControlPlane, NODES } from "./control-plane.ts";
import { Machine, sharedFolder } from "./machine.ts";
import { addCustomResources, overlay } from "./overlays.ts";

const PACKAGES = fileURLToPath(new URL("../../../packages", import.meta.url));
/** Kinds of an overlay that units need; its own pods are another test's. */
const NEEDED = new Set([
  ...["Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "PriorityClass"],
  "NetworkPolicy",
]);
const POD_TIME_OUTS: PodTimeOuts = {
  ...{ troubledSeconds: 10, startSeconds: 120, podSeconds: 120, queuedSeconds: 120, lostSeconds: 5 },
};

interface AgentChanges {
  readonly timeOuts?: Partial<PodTimeOuts>;
  readonly queue?: string;
}

/** A cluster of two machines, with what the overlays give units, a registry, and the volume that agents and units share. */
export class TestCluster {
  readonly plane: ControlPlane;
  readonly machines: readonly Machine[];
  readonly registry: TestRegistry;
  /** Of the executor tests' own programs. */
  readonly image: ServedImage;
  /** The shared volume's root. It belongs to root, as many storages have it. */
  readonly volume: string;
  #leases = 0;
  #agents = 0;

  private constructor(parts: Pick<TestCluster, "plane" | "machines" | "registry" | "image" | "volume">) {
    this.plane = parts.plane;
    this.machines = parts.machines;
    this.registry = parts.registry;
    this.image = parts.image;
    this.volume = parts.volume;
  }

  /** Starts all of it; if something fails, what was started is stopped, so that the test ends. */
  static async start(): Promise<TestCluster> {
    const started: { stop: () => Promise<unknown> }[] = [];
    try {
      return await TestCluster.#start(started);
    } catch (error) {
      for (const each of started.toReversed()) await each.stop();
      throw error;
    }
  }

  static async #start(started: { stop: () => Promise<unknown> }[]): Promise<TestCluster> {
    const registry = await TestRegistry.start();
    started.push(registry);
    const [pause, image] = [await addPause(registry), await addPrograms(registry)];
    const plane = await ControlPlane.start({ scheduler: true });
    started.push(plane);
    const begun = NODES.map(async (name) => {
      const machine = await Machine.start(name, plane, withoutTag(pause.reference));
      started.push(machine);
      return machine;
    });
    await Promise.allSettled(begun);
    const machines = await Promise.all(begun);
    await addCustomResources(plane);
    const rendered = parseAllDocuments(await plane.kubectl("kustomize", overlay("base-sepolia")));
    const objects = rendered.map((document) => document.toJS() as { kind: string; metadata: { name: string } });
    const wanted = objects.filter(
      ({ kind, metadata }) => NEEDED.has(kind) || (kind === "PersistentVolumeClaim" && metadata.name === "drmp-work"),
    );
    const volume = sharedFolder("volume");
    chmodSync(volume, 0o755);
    const storage = {
      ...{ apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "work" } },
      spec: {
        capacity: { storage: "100Gi" },
        accessModes: ["ReadWriteMany"],
        hostPath: { path: volume, type: "Directory" },
        claimRef: { namespace: "drmp", name: "drmp-work" },
      },
    };
    const file = join(plane.directory, "objects.yaml");
    writeFileSync(file, [...wanted, storage].map((each) => stringify(each)).join("---\n"));
    await plane.kubectl("apply", "--server-side", "--filename", file);
    return new TestCluster({ plane, machines, registry, image, volume });
  }

  async stop(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.stop()));
    await this.plane.stop();
    await this.registry.stop();
  }

  /** Gives the shared volume's root to the user that agents and units run as, as its owner has to. */
  giveVolume(): void {
    chownSync(this.volume, USER, USER);
  }

  /** An agent with a directory of the volume to itself, and the rights of the manifests' service account. */
  async agent(
    context: TestContext,
    { timeOuts = {}, queue, ...changes }: Partial<Omit<AgentOptions, "timeOuts">> & AgentChanges = {},
  ): Promise<{ agent: AgentProcess; options: AgentOptions }> {
    const owner = `agent-${String(this.#agents++)}`;
    const options: AgentOptions = {
      kubeconfig: this.kubeconfig(owner, await this.plane.tokenOf("drmp", "drmp-agent")),
      settings: {
        ...{ namespace: "drmp", owner, uid: USER, gid: USER, tmpMiB: 64, priorityClass: "drmp-unit" },
        volume: { claim: "drmp-work", path: join(this.volume, owner), subPath: owner },
        ...{ nodeSelector: {}, gpuResource: "nvidia.com/gpu" },
        ...(queue === undefined ? {} : { queue }),
      },
      ...{ trainers: [], allowOutbound: false, gpusPerUnit: 0 },
      unitSize: { cpus: 0.5, memoryMiB: 256, gpus: 0 },
      pollMs: 200,
      ...changes,
      timeOuts: { ...POD_TIME_OUTS, ...timeOuts },
    };
    return { agent: this.again(context, options), options };
  }

  /** Writes a kubeconfig file that agents can read. @returns its path. */
  kubeconfig(name: string, token: string, server?: string): string {
    const file = this.plane.kubeconfig(name, token, server);
    chownSync(file, USER, USER);
    return file;
  }

  /** An agent with the options of an earlier one: its next life. */
  again(context: TestContext, options: AgentOptions): AgentProcess {
    const agent = new AgentProcess(options);
    context.after(() => agent.crash());
    return agent;
  }

  /** A spec for the programs' image. */
  spec(args: readonly string[], changes: Partial<TaskSpecInput> = {}) {
    const { trainer: _, ...rest } = testSpec({ args: [...args], resources: { cpus: 0.5, memoryMiB: 256 } });
    const timeouts = { unitSeconds: 600, graceSeconds: 5 };
    return parseSpec(specBytes({ ...rest, image: this.image.reference, timeouts, ...changes }));
  }

  /** The units of a new lease. */
  lease({ settings }: AgentOptions, spec: UnitRun["spec"], count = 1, start = 0): UnitRun[] {
    const leaseId = ++this.#leases;
    return Array.from({ length: count }, (_, i) =>
      testUnit(join(settings.volume.path, "leases", `${String(leaseId)}-1`, `unit-${String(start + i)}`), spec, {
        ...{ leaseId, leaseStart: start, leaseUnits: count, unitIndex: start + i, unitCount: 100 },
      }),
    );
  }

  async podsOf({ leaseId }: UnitRun): Promise<V1Pod[]> {
    const { items } = await this.plane.core.listNamespacedPod({ namespace: "drmp" });
    return items.filter(({ metadata }) => metadata?.name?.startsWith(`drmp-${String(leaseId)}-`));
  }

  async jobsOf({ leaseId }: UnitRun): Promise<string[]> {
    const { items } = await this.plane.batch.listNamespacedJob({ namespace: "drmp" });
    return items
      .map(({ metadata }) => metadata?.name ?? "")
      .filter((name) => name.startsWith(`drmp-${String(leaseId)}-`));
  }

  /** The machine that a unit's pod is on. */
  async machineOf(unit: UnitRun): Promise<Machine> {
    const names = (await this.podsOf(unit)).map(({ spec }) => spec?.nodeName);
    const found = this.machines.find(({ name }) => names.includes(name));
    if (!found) throw new Error(`no machine among ${names.join(", ")}`);
    return found;
  }

  /** What the cluster's programs and a unit have said, for a test that waits in vain. */
  async explain(unit: UnitRun, running?: AgentUnit): Promise<string> {
    const { items } = await this.plane.core.listNamespacedEvent({ namespace: "drmp" });
    const events = items
      .filter(({ involvedObject }) => involvedObject.name?.startsWith(`drmp-${String(unit.leaseId)}-`))
      .map(({ reason, message }) => `${reason ?? ""}: ${message ?? ""}`);
    const log = await running?.log().catch(() => "");
    return [...events, log ?? "", ...this.machines.map((machine) => machine.words())].join("\n");
  }
}

async function addPause(registry: TestRegistry): Promise<ServedImage> {
  const directory = mkdtempSync(join(tmpdir(), "drmp-pause-"));
  const tar = join(sharedFolder("images"), "pause.tar");
  cpSync(built("pause"), join(directory, "pause"));
  run("tar", ["--create", "--file", tar, "--directory", directory, "--owner=0", "--group=0", "pause"]);
  rmSync(directory, { recursive: true });
  return registry.add("pause", tar, { Entrypoint: ["/pause"] });
}

async function addPrograms(registry: TestRegistry): Promise<ServedImage> {
  const packed = await packRootFs((root) => {
    const app = join(root, "app");
    mkdirSync(join(app, "node_modules/@verai"), { recursive: true });
    for (const name of ["executor", "errors"]) cpSync(join(PACKAGES, name), join(app, name), { recursive: true });
    symlinkSync("../../errors", join(app, "node_modules/@verai/errors"));
    writeFileSync(join(app, "package.json"), '{"type":"module"}');
    return Promise.resolve();
  });
  const tar = join(sharedFolder("images"), "programs.tar");
  cpSync(packed, tar);
  await removeRootFs(packed);
  return registry.add("tests/programs", tar, {
    Entrypoint: ["/usr/local/bin/node", "/app/executor/testdata/misbehaves.ts"],
    Env: ["PATH=/usr/local/bin:/bin"],
  });
}

function withoutTag(reference: string): string {
  return reference.replace(":latest@", "@");
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}
