/**
 * An agent's executor as a process of its own, as the user that its units have: told by messages what to do. It stands in for the
 * agent where a test kills it, and where a test asks what the executor alone does.
 */
import { KubernetesExecutor, type KubernetesExecutorOptions } from "@verai/executor/kubernetes";
import { Cluster } from "@verai/executor/kubernetes/cluster";
import type { RunningUnit, UnitRun } from "@verai/executor/executor";

/** What the executor is opened with, but for the cluster. */
export interface AgentOptions extends Omit<KubernetesExecutorOptions, "cluster" | "onNotice"> {
  readonly kubeconfig: string;
}

/** What it is asked for. */
export type Ask =
  | { readonly call: "probe" | "capacity" }
  | { readonly call: "start"; readonly unit: UnitRun }
  | { readonly call: "exited" | "kill" | "waiting" | "log"; readonly root: string }
  | { readonly call: "drain"; readonly root: string; readonly graceSeconds: number };

/** What it tells: an answer, or a notice. */
export type Told =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code: string | undefined; readonly message: string } }
  | { readonly notice: string };

const { kubeconfig, ...options } = JSON.parse(process.argv[2] ?? "") as AgentOptions;
// From here on, as its programs are read: that user need not be able to look into the folder of this repository.
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(options.settings.gid);
  process.setuid?.(options.settings.uid);
}
const tell = (told: Told) => process.send?.(told);
const executor = new KubernetesExecutor({
  ...options,
  cluster: Cluster.open(options.settings.namespace, kubeconfig),
  onNotice: (notice) => tell({ notice }),
});
const units = new Map<string, RunningUnit>();

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.call) {
    case "probe":
      return executor.probe();
    case "capacity":
      return executor.capacity();
    case "start": {
      const running = await executor.start(ask.unit);
      units.set(ask.unit.folder.root, running);
      return running.id;
    }
    case "exited":
      return unitOf(ask.root).exited;
    case "drain":
      return unitOf(ask.root).drain(ask.graceSeconds);
    case "kill":
      return unitOf(ask.root).kill();
    case "waiting":
      return unitOf(ask.root).waiting?.();
    case "log":
      return unitOf(ask.root).logTail(100_000);
  }
}

function unitOf(root: string): RunningUnit {
  const unit = units.get(root);
  if (!unit) throw new Error(`no unit in ${root}`);
  return unit;
}

process.on("message", ({ id, ask }: { id: number; ask: Ask }) => {
  answer(ask).then(
    (value) => tell({ id, value }),
    (error: unknown) => {
      const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
      tell({ id, error: { code, message: String(error) } });
    },
  );
});
// The test is gone.
process.on("disconnect", () => process.exit(1));
