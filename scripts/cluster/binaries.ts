import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { filesBy, ROOT } from "../check/files.ts";

const MODULE = join(ROOT, "tools/cluster");
const BUILT = join(ROOT, ".data/cluster");
/** Longest time of one command, milliseconds: all of Kubernetes is compiled. */
const COMMAND_MS = 3_600_000;
const OWN = ["etcd", "pause"];
const KUBERNETES = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"];
/** Definitions of custom resources: module, and files in it. */
const CRDS = { module: "github.com/kedacore/keda/v2", files: ["config/crd/bases/keda.sh_scaledobjects.yaml"] };

/** Whether there is a Go to build with. */
export function hasGo(): boolean {
  return spawnSync("go", ["version"], { stdio: "ignore" }).status === 0;
}

/**
 * Builds the programs of a cluster from tools/cluster, unless those of its present state are there already. The first time it
 * takes some nine minutes of a processor, 2 GB of memory, and 4 GB of disk for Go's caches.
 *
 * @param say Told what is being done, where it takes long.
 * @returns Folder of the programs, with the definitions of custom resources in `crds`.
 */
export function buildBinaries(say: (text: string) => void): string {
  const hash = createHash("sha256");
  for (const file of filesBy("tools/cluster/**/*.{go,mod,sum}")) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  const folder = join(BUILT, hash.digest("hex").slice(0, 16));
  if (existsSync(folder)) return folder;
  say("Kubernetes is built, which takes some ten minutes of a processor, once.");
  mkdirSync(BUILT, { recursive: true });
  const making = mkdtempSync(join(BUILT, "making-"));
  try {
    const version = versionOf("k8s.io/kubernetes");
    const [, major = "", minor = ""] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
    const set = Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor }).map(
      ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
    );
    go(MODULE, [
      ...["build", "-p=2", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", `-s -w ${set.join(" ")}`],
      ...["-o", `${making}/`, ...OWN.map((name) => `./${name}`)],
      ...KUBERNETES.map((name) => `k8s.io/kubernetes/cmd/${name}`),
    ]);
    const crds = join(making, "crds");
    mkdirSync(crds);
    const { Dir: source } = JSON.parse(go(join(MODULE, "crds"), ["mod", "download", "-json", CRDS.module])) as {
      Dir: string;
    };
    for (const file of CRDS.files) copyFileSync(join(source, file), join(crds, file.split("/").at(-1) ?? file));
    renameSync(making, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return folder;
}

function versionOf(module: string): string {
  const found = new RegExp(`${module} (v\\S+)`).exec(readFileSync(join(MODULE, "go.mod"), "utf8"))?.[1];
  if (found === undefined) throw new Error(`tools/cluster/go.mod names no version of ${module}`);
  return found;
}

/** @returns what it printed. */
function go(directory: string, args: string[]): string {
  const { status, stdout, error } = spawnSync("go", args, {
    cwd: directory,
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "" },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: COMMAND_MS,
  });
  if (status === 0) return stdout;
  throw new Error(`go ${args.slice(0, 2).join(" ")} failed in ${directory}${error ? `: ${error.message}` : ""}`);
}
