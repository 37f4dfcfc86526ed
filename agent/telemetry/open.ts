import { join } from "node:path";

import type { Session } from "@verai/client/session";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { isRenewable } from "@verai/protocol/energy/goals";
import { kindOf } from "@verai/protocol/energy/intensity";
import type { Logger } from "@verai/process/logger";
import type { AgentConfig } from "../config.ts";
import { InputMonitor } from "../idle/input.ts";
import type { IdleDetector } from "../idle/detector.ts";
import { MachineMeter, type MachineOptions } from "../power/machine.ts";
import { PowerError } from "../power/meter.ts";
import { RaplMeter } from "../power/rapl.ts";
import { readCpuTimes, type Usage, UsageTrack } from "../power/usage.ts";
import { ReportJournal } from "./report-journal.ts";
import type { TelemetryMetrics } from "./telemetry-metrics.ts";
import { Reporter, type ReporterContext, type ReportSigner } from "./reporter.ts";
import { Sampler } from "./sampler.ts";
import type { WorkloadCpu } from "./workloads.ts";

/** Version of the agent as reports carry it: major × 256 + minor. */
const AGENT_VERSION = 0x0001;

/** Where Linux shows the processor's energy counters. */
const POWERCAP = "/sys/class/powercap";

/** What an agent's telemetry is made of, beside its configuration. */
export interface TelemetryContext {
  readonly session: Session;
  readonly nodeId: number;
  readonly signer: ReportSigner;
  readonly store: CheckpointStore;
  readonly workloads: WorkloadCpu;
  readonly owner: IdleDetector | undefined;
  readonly send: ReporterContext["send"];
  readonly metrics: TelemetryMetrics;
  readonly logger: Logger;
}

/** An agent's telemetry, measuring from now on. */
export interface Telemetry {
  readonly reporter: Reporter;
  /** Where the figures of energy come from now, for people. */
  readonly source: string;
  /** Takes a sample, and sees whether the owner uses the machine. */
  readonly sample: () => Promise<void>;
  readonly close: () => void;
}

/**
 * CPUs of a node that is a slice of this machine, or lies beside it: in a cluster the units run on other machines, of which
 * this one's meters know nothing. Undefined for a node that is all of this machine.
 */
function sliceOf({ telemetry, executor, node }: AgentConfig): number | undefined {
  if (telemetry.cpus !== undefined || executor?.kind !== "kubernetes") return telemetry.cpus;
  return node.capacity * executor.unitSize.cpus;
}

/**
 * The meters of a node as configured. On an ordinary Linux only root may read the processor's counters, which is no reason
 * not to work: unless the configuration names where they are, the energy is estimated then, with a warning. Later, whatever
 * fails is estimated until it works again, and said once.
 *
 * @throws PowerError if a meter that the configuration names cannot be read at the start, with the remedy.
 */
export async function openMeter(
  config: AgentConfig,
  logger: Logger,
  load: Pick<MachineOptions, "cpuLoad" | "gpuLoad"> = { cpuLoad: () => 0, gpuLoad: () => 0 },
): Promise<MachineMeter> {
  const { power, telemetry, node, executor } = config;
  const slice = sliceOf(config);
  const elsewhere = executor?.kind === "kubernetes" ? { nvidiaSmi: "", gpus: gpusElsewhere(config) } : {};
  const onLocked = (problem: PowerError) => {
    logger.warn({ problem: problem.message }, "the processor's energy is estimated: its counters are locked");
  };
  if (power.powercap !== undefined && power.powercap !== "" && slice === undefined) await mustShow(power.powercap);
  return MachineMeter.open({
    ...power,
    ...elsewhere,
    ...load,
    powercap: power.powercap ?? POWERCAP,
    onLocked: power.powercap === undefined ? onLocked : undefined,
    onEvent: (event) => {
      if (event.kind === "back") logger.info({ source: event.source }, `the energy of ${event.part} is measured again`);
      else
        logger.warn({ problem: event.why }, `the energy of ${event.part} is estimated until it can be measured again`);
    },
    kind: kindOf(node.class),
    rented: executor?.kind === "container" ? executor.gpus : [],
    cpus: slice ?? readCpuTimes(telemetry.procfs)?.threads ?? 1,
    slice: slice !== undefined,
    maxWatts: node.powerMax,
  });
}

/** GPUs that the units of a node in a cluster have, on whichever machines. */
function gpusElsewhere({ power, executor, node }: AgentConfig): number | undefined {
  const each = executor?.kind === "kubernetes" ? executor.unitSize.gpus : 0;
  return power.gpus ?? (each > 0 ? node.capacity * each : undefined);
}

/** @throws PowerError if a tree that the configuration names shows no processor: a mistyped path, most likely. */
async function mustShow(powercap: string): Promise<void> {
  if (await RaplMeter.open(powercap)) return;
  throw new PowerError(
    `"power.powercap" names ${powercap}, which shows no processor package: correct the path, load the module ` +
      `intel_rapl_msr, or leave the entry out to have the energy estimated.`,
  );
}

/**
 * Opens meters and the report journal.
 *
 * @throws PowerError as {@link openMeter} does.
 */
export async function openTelemetry(config: AgentConfig, context: TelemetryContext): Promise<Telemetry> {
  const { workloads, owner, logger } = context;
  const { telemetry, node } = config;
  const own = () => workloads.totalSeconds();
  const track =
    telemetry.cpus === undefined ? UsageTrack.machine(telemetry.procfs) : UsageTrack.slice(telemetry.cpus, own);
  let last: Usage = { load: 0, busySeconds: 0, seconds: 0 };
  const meter = await openMeter(config, logger, {
    cpuLoad: () => last.load,
    // What a GPU does is not known without its meter: it is taken to be busy as far as the node's units are.
    gpuLoad: () => Math.min(1, workloads.unitsRunning / node.capacity),
  });
  logger.info({ method: meter.method, source: meter.source }, "energy");
  const sampler = new Sampler({
    meter,
    usage: () => (last = track.next()),
    leases: () => workloads.leases(),
    auditSeconds: () => workloads.otherSeconds(),
    harvesting: () => owner?.present === false,
    renewable: isRenewable(node.energySource) ? 1 : 0,
    now: () => performance.now(),
  });
  const reporter = new Reporter({
    ...context,
    journal: await ReportJournal.open(join(config.dataDir, "reports.json"), logger),
    sampler,
    keepers: telemetry.keepers,
    selfPostAfter: telemetry.selfPostAfter,
    energyInterval: telemetry.energyInterval,
    version: AGENT_VERSION,
  });
  const input = new InputMonitor();
  const machine = UsageTrack.machine(telemetry.procfs);
  let ownBefore = own();
  return {
    reporter,
    get source() {
      return meter.source;
    },
    sample: async () => {
      await reporter.sample();
      if (!owner) return;
      const all = machine.next();
      const ownNow = own();
      const others = Math.max(0, all.busySeconds - (ownNow - ownBefore));
      ownBefore = ownNow;
      const before = owner.present;
      const { threads = 1 } = readCpuTimes(telemetry.procfs) ?? {};
      const present = owner.look({
        othersLoad: all.seconds > 0 ? others / all.seconds : 0,
        sinceInput: await input.secondsSince(),
        seconds: all.seconds / threads,
      });
      if (present !== before) logger.info({ present }, present ? "the owner uses the machine" : "the owner is away");
    },
    close: () => {
      meter.close();
    },
  };
}
