import { join } from "node:path";

import type { Command } from "commander";
import type { Registry } from "prom-client";

import { openSession, type Session, type SessionOptions } from "@verai/client/session";
import { type CheckReport, type Finding, printReport, refuseErrors } from "./check/finding.ts";
import { withDirectory } from "./data.ts";
import { endpointLog } from "./endpoint-log.ts";
import { createLogger, type Logger } from "./logger.ts";
import { configOption, jsonOption, shutdownSignal } from "./program.ts";
import { transactionMetrics } from "./transaction-metrics.ts";

/** What every service's configuration has. */
export interface ServiceConfig {
  /** The service has it to itself. */
  readonly dataDir: string;
  readonly service: { readonly logLevel: string };
}

/** A program that runs until it is told to stop. */
export interface Service<C extends ServiceConfig> {
  /** Its name in logs. */
  readonly name: string;
  /** What its commands `run` and `check` do, for the help; the second goes on after "look at everything that run will use:". */
  readonly runs: string;
  readonly checks: string;
  /** What it logs when it is told to stop. */
  readonly stopping: string;
  /** @throws ConfigError */
  readonly read: (file: string) => C;
  /** What of a configuration can be judged without a look at anything else; errors among it prevent a run. */
  readonly findings: (config: C) => readonly Finding[];
  /** Looks at everything that a run will use; changes nothing. */
  readonly check: (config: C) => Promise<CheckReport>;
}

/** What a service works with while it runs. */
export interface ServiceRun<C extends ServiceConfig> {
  readonly config: C;
  readonly logger: Logger;
  /** Raised by SIGINT or SIGTERM, or if the data directory is no longer this process's alone. */
  readonly signal: AbortSignal;
}

/**
 * Adds the commands that every service has: `run`, which has the data directory to itself and ends by a signal, and `check`.
 *
 * @param work Runs until its signal; `options` are those of the command `run`.
 * @returns The command `run`, for options of its own.
 */
export function addService<C extends ServiceConfig, O = unknown>(
  program: Command,
  service: Service<C>,
  work: (run: ServiceRun<C>, options: O) => Promise<void>,
): Command {
  const run = program
    .command("run")
    .description(service.runs)
    .addOption(configOption())
    .action(async (options: { config: string } & O) => {
      const config = service.read(options.config);
      refuseErrors(service.findings(config));
      const logger = createLogger(service.name, config.service.logLevel);
      const told = shutdownSignal((name) => {
        logger.info({ signal: name }, service.stopping);
      });
      await withDirectory([config.dataDir], logger, told, (signal) => work({ config, logger, signal }, options));
    });
  program
    .command("check")
    .description(`look at everything that run will use: ${service.checks}; changes nothing`)
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async ({ config, json }: { config: string; json: boolean }) => {
      printReport(await service.check(service.read(config)), json);
    });
  return run;
}

/** Opens the chain for a service that sends: transactions are counted, and logged with what endpoints do; journals are its own. */
export async function openServiceSession(
  config: ServiceConfig & Pick<SessionOptions, "network" | "fees">,
  { logger, signal }: Pick<ServiceRun<ServiceConfig>, "logger" | "signal">,
  registry: Registry,
): Promise<Session> {
  return openSession({
    ...config,
    journals: join(config.dataDir, "journals"),
    onEvent: transactionMetrics(registry, logger),
    onEndpoint: endpointLog(logger),
    stop: signal,
  });
}
