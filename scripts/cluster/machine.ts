import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What kubelets need, with the Debian package that has it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  ip: "iproute2",
  iptables: "iptables",
  mount: "mount",
  unshare: "util-linux",
};
/** Where the plugins of a container's network lie, by distribution. */
const CNI = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
const CGROUPS = "/sys/fs/cgroup";
/** How often, and after how many milliseconds each, the removal of a control group is tried again. */
const [CGROUP_TRIES, CGROUP_MS] = [100, 200];
/** Addresses of the API server and of two machines, in a network of their own. */
const ADDRESSES = ["10.99.0.10", "10.99.0.11", "10.99.0.12"];
/** Address of the service `kubernetes`, which each pod asks. */
const SERVICE = "10.96.0.1";
/**
 * Settings of the kernel that a kubelet sees to. They belong to the whole machine: it finds them as it wants them, in files
 * that only it sees.
 */
const KERNEL: Readonly<Record<string, number>> = {
  "vm/overcommit_memory": 1,
  "vm/panic_on_oom": 0,
  "kernel/panic": 10,
  "kernel/panic_on_oops": 1,
  "kernel/keys/root_maxkeys": 1_000_000,
  "kernel/keys/root_maxbytes": 25_000_000,
};

/** Why containers cannot be run by kubelets here; undefined if they can. */
export function whyNoMachines(): string | undefined {
  if (process.platform !== "linux") return "kubelets run on Linux only";
  if (process.getuid?.() !== 0) return "kubelets and their containers need root";
  const folders = (process.env["PATH"] ?? "").split(":");
  const missing = Object.keys(PROGRAMS).filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (cniFolder() === undefined) missing.push("containernetworking-plugins");
  if (missing.length === 0) return undefined;
  const packages = missing.map((name) => PROGRAMS[name] ?? name);
  return `${missing.join(", ")} not found (Debian: apt-get install ${packages.join(" ")})`;
}

function cniFolder(): string | undefined {
  return CNI.find((folder) => existsSync(join(folder, "bridge")));
}

/**
 * Runs a command in processes, mounts and a network of its own, as if it were on another machine: nothing listens where
 * anybody else hears it, and when the command ends, or this process does, everything that it has started ends with it.
 *
 * @returns Its exit code.
 */
export async function runApart(command: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), "drmp-cluster-"));
  const cgroup = scratch.slice(scratch.lastIndexOf("/") + 1);
  const kernel = Object.entries(KERNEL).map(([name, value], i) => {
    const file = join(scratch, `kernel-${String(i)}`);
    writeFileSync(file, `${String(value)}\n`);
    return `[ ! -e /proc/sys/${name} ] || mount --bind ${file} /proc/sys/${name}`;
  });
  const setUp = [
    "set -e",
    ...kernel,
    // Places that are written to whatever the options say.
    ...["/var/log", "/var/lib/cni", "/run/containerd"].map((path) => `mkdir -p ${path}; mount -t tmpfs none ${path}`),
    "ip link set lo up",
    ...ADDRESSES.map((address) => `ip address add ${address}/32 dev lo`),
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    // In place of kube-proxy.
    `iptables -t nat -A PREROUTING -d ${SERVICE} -p tcp --dport 443 -j DNAT --to-destination ${ADDRESSES[0] ?? ""}:6443`,
    "set +e",
    // Not by exec: the first process reaps what is left without a parent.
    '"$@"',
    "exit $?",
  ];
  const apart = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"];
  const child = spawn("unshare", [...apart, "sh", "-c", setUp.join("\n"), "sh", ...command], {
    env: {
      ...environment,
      DRMP_CLUSTER_DIR: scratch,
      DRMP_CLUSTER_CGROUP: cgroup,
      DRMP_CLUSTER_CNI: cniFolder() ?? "",
      DRMP_CLUSTER_ADDRESSES: ADDRESSES.join(","),
    },
    stdio: "inherit",
  });
  // Whatever it is doing: with its first process all others end.
  const end = () => child.kill("SIGKILL");
  process.on("SIGINT", end).on("SIGTERM", end).on("exit", end);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end).off("exit", end);
    // Its mounts go with its last process, which may still be dying.
    await rm(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
    for (const hierarchy of hierarchies()) await removeCgroup(join(hierarchy, cgroup));
  }
}

/** Hierarchies of control groups: those of version 1 each by itself, that of version 2 alone. */
function hierarchies(): string[] {
  if (existsSync(join(CGROUPS, "cgroup.controllers"))) return [CGROUPS];
  return readdirSync(CGROUPS).map((name) => join(CGROUPS, name));
}

/** Removes a control group and those below it, once its processes have ended: they may still be dying. */
async function removeCgroup(path: string): Promise<void> {
  for (let tries = 0; existsSync(path); tries++) {
    try {
      removeEmpty(path);
      return;
    } catch (error) {
      if (tries === CGROUP_TRIES) throw error;
      await sleep(CGROUP_MS);
    }
  }
}

function removeEmpty(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmpty(join(path, entry.name));
  }
  rmdirSync(path);
}
