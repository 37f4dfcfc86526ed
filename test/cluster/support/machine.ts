import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { built, type ControlPlane, NODES, noControlPlane } from "./control-plane.ts";
import { Daemon } from "./daemon.ts";

/** What `npm run test:cluster` hands on where machines can run. */
const {
  DRMP_CLUSTER_DIR: own = "",
  DRMP_CLUSTER_ADDRESSES: addresses = "",
  DRMP_CLUSTER_CGROUP: cgroup = "",
  DRMP_CLUSTER_CNI: cni = "",
  DRMP_CLUSTER_MISSING: missing,
} = process.env;
const CGROUPS = "/sys/fs/cgroup";

/** Why machines with containers cannot run here; false if they can. */
export const noMachines =
  noControlPlane === false ? (missing ?? (own === "" ? "no place of their own" : false)) : noControlPlane;

/** A machine of the cluster: a kubelet over a containerd of its own, with a network for its pods. */
export class Machine {
  readonly name: string;
  readonly address: string;
  readonly #plane: ControlPlane;
  readonly #directory: string;
  readonly #containerd: Daemon;
  #kubelet: Daemon;

  private constructor(name: string, plane: ControlPlane, directory: string, containerd: Daemon, kubelet: Daemon) {
    this.name = name;
    this.address = addressOf(name);
    this.#plane = plane;
    this.#directory = directory;
    this.#containerd = containerd;
    this.#kubelet = kubelet;
  }

  /** @param pauseImage What holds a pod's namespaces. @returns once the cluster has it, and it is ready. */
  static async start(name: string, plane: ControlPlane, pauseImage: string): Promise<Machine> {
    const number = NODES.indexOf(name);
    const directory = sharedFolder(name);
    const at = (file: string) => join(directory, file);
    mkdirSync(at("cni"), { recursive: true });
    writeFileSync(at("containerd.toml"), containerdConfig(directory, pauseImage));
    writeFileSync(at("cni/10-pods.conflist"), JSON.stringify(network(number)));
    makeCgroup(`${cgroup}/${name}`);
    const containerd = Daemon.start("containerd", "containerd", ["--config", at("containerd.toml")], directory);
    await containerd.ready(() =>
      Promise.resolve(
        spawnSync("ctr", ["--address", at("c.sock"), "version"], { stdio: "ignore", timeout: 20_000 }).status === 0,
      ),
    );
    writeFileSync(at("kubelet.json"), JSON.stringify(kubeletConfig(name, directory)));
    const machine = new Machine(name, plane, directory, containerd, startKubelet(name, plane, directory));
    await machine.ready();
    return machine;
  }

  /** Puts an image into its store, from an archive. */
  import(file: string): void {
    const { status, stderr } = this.#ctr(300_000, "images", "import", file);
    if (status !== 0) throw new Error(`${file} cannot be imported: ${stderr}`);
  }

  /** Waits until the cluster takes it for ready. */
  async ready(): Promise<void> {
    await this.#kubelet.ready(() => this.isReady());
  }

  async isReady(): Promise<boolean> {
    const { status } = await this.#plane.core.readNode({ name: this.name });
    return status?.conditions?.some(({ type, status: yes }) => type === "Ready" && yes === "True") ?? false;
  }

  /** Is heard of no longer, though its containers run on. */
  async lose(): Promise<void> {
    await this.#kubelet.kill();
  }

  /** Is heard of again. */
  async comeBack(): Promise<void> {
    this.#kubelet = startKubelet(this.name, this.#plane, this.#directory);
    await this.ready();
  }

  /** What the kubelet said last, for a test that failed. */
  words(): string {
    return `--- ${this.name}\n${this.#kubelet.words()}`;
  }

  async stop(): Promise<void> {
    await this.#kubelet.stop();
    for (const task of this.#ctr(20_000, "tasks", "list", "--quiet").stdout.split("\n").filter(Boolean)) {
      this.#ctr(20_000, "tasks", "kill", "--all", "--signal", "SIGKILL", task);
    }
    await this.#containerd.stop();
  }

  #ctr(timeout: number, ...args: string[]) {
    const socket = join(this.#directory, "c.sock");
    return spawnSync("ctr", ["--address", socket, "--namespace", "k8s.io", ...args], { encoding: "utf8", timeout });
  }
}

function startKubelet(name: string, plane: ControlPlane, directory: string): Daemon {
  return Daemon.start(
    "kubelet",
    built("kubelet"),
    [
      ...[`--config=${join(directory, "kubelet.json")}`, `--kubeconfig=${plane.kubeconfig(`system:node:${name}`)}`],
      ...[`--hostname-override=${name}`, `--node-ip=${addressOf(name)}`, `--root-dir=${join(directory, "kubelet")}`],
      `--cert-dir=${join(directory, "pki")}`,
    ],
    directory,
  );
}

/** By which pods and extensions reach the API server's machine. */
export function addressOfPlane(): string {
  return addresses.split(",")[0] ?? "";
}

function addressOf(name: string): string {
  return addresses.split(",")[NODES.indexOf(name) + 1] ?? "";
}

function kubeletConfig(name: string, directory: string): object {
  return {
    ...{ apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" },
    ...{ address: addressOf(name), port: 10250, healthzPort: 0, readOnlyPort: 0 },
    // Nobody reaches it but this cluster.
    ...{ authentication: { anonymous: { enabled: true }, webhook: { enabled: false } } },
    ...{ authorization: { mode: "AlwaysAllow" } },
    containerRuntimeEndpoint: `unix://${join(directory, "c.sock")}`,
    ...{ cgroupDriver: "cgroupfs", cgroupRoot: `/${cgroup}/${name}`, failCgroupV1: false, failSwapOn: false },
    podLogsDir: join(directory, "logs"),
    volumePluginDir: join(directory, "plugins"),
    resolvConf: "",
    oomScoreAdj: 0,
    // Evictions of the whole machine are none of this test: what else runs on it is not known.
    evictionHard: { "memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%" },
    imageGCHighThresholdPercent: 100,
    ...{ nodeStatusUpdateFrequency: "2s", nodeStatusReportFrequency: "4s", nodeLeaseDurationSeconds: 8 },
    ...{ syncFrequency: "5s", volumeStatsAggPeriod: "5s" },
    maxPods: 30,
  };
}

function containerdConfig(directory: string, pauseImage: string): string {
  const at = (file: string) => JSON.stringify(join(directory, file));
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return `version = 2
root = ${at("images")}
state = ${at("state")}
oom_score = 0
[grpc]
  address = ${at("c.sock")}
[${cri}]
  sandbox_image = ${JSON.stringify(pauseImage)}
  restrict_oom_score_adj = true
  disable_apparmor = true
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
[${cri}.cni]
  bin_dir = ${JSON.stringify(cni)}
  conf_dir = ${at("cni")}
`;
}

/** A bridge for the pods of a machine; those of the other one are reached through the network that both are in. */
function network(number: number): object {
  const subnet = `10.88.${String(number)}.0/24`;
  return {
    ...{ cniVersion: "0.4.0", name: `pods-${String(number)}` },
    plugins: [
      {
        ...{ type: "bridge", bridge: `pods${String(number)}`, isGateway: true, hairpinMode: true },
        ipam: { type: "host-local", ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] },
      },
    ],
  };
}

/** Makes the control group that a kubelet's own ones lie below, in each hierarchy, with the processors that there are. */
function makeCgroup(path: string): void {
  const unified = existsSync(join(CGROUPS, "cgroup.controllers"));
  for (const hierarchy of unified ? [CGROUPS] : readdirSync(CGROUPS).map((name) => join(CGROUPS, name))) {
    let at = hierarchy;
    for (const part of path.split("/")) {
      const parent = at;
      at = join(at, part);
      mkdirSync(at, { recursive: true });
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        if (!unified && existsSync(join(at, file))) writeFileSync(join(at, file), readFileSync(join(parent, file)));
      }
    }
  }
}

/** A folder of this test file's that anybody may look through, such as for volumes of pods. */
export function sharedFolder(name: string): string {
  const path = join(own, `${String(process.pid)}-${name}`);
  mkdirSync(path, { recursive: true });
  chmodSync(own, 0o755);
  return path;
}
