import { createHash } from "node:crypto";
import { join } from "node:path";

import type { Logger } from "@verai/process/logger";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { builtInTrainers } from "@verai/executor/trainers/registry";
import type { Executor } from "@verai/executor/executor";
import { type InterpretedPrograms, ProcessExecutor, type TrainerProgram } from "@verai/executor/process";
import type { AgentConfig } from "./config.ts";
import { type ExecutorConfig, executorConfig } from "./executor-config.ts";

/** What the executor depends on. */
interface ExecutorPlace extends Pick<AgentConfig, "executor" | "dataDir"> {
  readonly network: Pick<AgentConfig["network"], "chainId">;
}

/** How units are run: as configured, else in containers, unless the chain is a local one. */
export function chooseExecutor(config: Omit<ExecutorPlace, "dataDir">): ExecutorConfig {
  if (config.executor) return config.executor;
  const kind = config.network.chainId === LOCAL_CHAIN_ID ? "process" : "container";
  const chosen = executorConfig.parse({ kind });
  if (!chosen) throw new Error("no executor");
  return chosen;
}

/**
 * Opens the executor that the configuration asks for.
 *
 * @throws `WorkloadError` `ENGINE_UNAVAILABLE`, with the remedy.
 */
export async function openExecutor(config: ExecutorPlace, logger: Logger): Promise<Executor> {
  const chosen = chooseExecutor(config);
  switch (chosen.kind) {
    case "process": {
      const more = Object.entries(chosen.unsafeTrainersWithoutContainer);
      if (config.network.chainId !== LOCAL_CHAIN_ID) {
        logger.warn("units run as plain processes: for built-in trainers only; images are refused");
      }
      if (more.length > 0) {
        const names = more.map(([name]) => name);
        logger.warn(
          { trainers: names },
          "UNSAFE: these trainers run without a container, with the network open to them",
        );
      }
      const trainers = new Map<string, TrainerProgram | InterpretedPrograms>([...more, ...builtInTrainers]);
      return new ProcessExecutor({ trainers });
    }
    case "container": {
      // Loaded where it is wanted: the engine's client is large.
      const { ContainerExecutor } = await import("@verai/executor/container");
      const { kind: _, ...options } = chosen;
      const executor = await ContainerExecutor.open({
        ...options,
        directory: join(config.dataDir, "containers"),
        trainers: [...builtInTrainers.keys()],
      });
      logger.info({ engine: executor.engine.name }, "units run in containers");
      if (chosen.trainerImage === undefined) {
        logger.warn("no executor.trainerImage: tasks for built-in trainers are refused");
      }
      return executor;
    }
    case "kubernetes": {
      const { KubernetesExecutor } = await import("@verai/executor/kubernetes");
      const { Cluster } = await import("@verai/executor/kubernetes/cluster");
      const {
        namespace,
        kubeconfig,
        trainerImage,
        allowOutbound,
        unitSize,
        diskMiB,
        scratchMiB,
        kind: _,
        ...settings
      } = chosen;
      const uid = process.getuid?.() ?? 0;
      if (uid === 0) throw new Error("The agent runs as root, and so would strangers' programs: give it another user.");
      return new KubernetesExecutor({
        cluster: Cluster.open(namespace, kubeconfig),
        // One agent to a directory of the volume: that is what tells its Jobs from others'.
        settings: { ...settings, namespace, owner: ownerLabel(chosen), uid, gid: process.getgid?.() ?? uid },
        trainers: [...builtInTrainers.keys()],
        trainerImage,
        allowOutbound,
        gpusPerUnit: unitSize.gpus,
        unitSize,
        diskMiB,
        scratchMiB,
        onNotice: (notice) => logger.warn(notice),
      });
    }
  }
}

/** Where the work on leases lies: where the executor can give it to units. */
export function leasesDirectory(config: AgentConfig): string {
  const chosen = chooseExecutor(config);
  return join(chosen.kind === "kubernetes" ? chosen.volume.path : config.dataDir, "leases");
}

function ownerLabel({ volume }: Extract<ExecutorConfig, { kind: "kubernetes" }>): string {
  return createHash("sha256").update(`${volume.claim}/${volume.subPath}`).digest("hex").slice(0, 16);
}
