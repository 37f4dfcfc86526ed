import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSession, type Session } from "@verai/client/session";
import { ACCOUNTS, type ParticipantNode } from "./participants.ts";
import { type DemoChain, type ParameterChanges, startChain } from "./chain.ts";
import { Configs } from "./configs.ts";
import { type LogLine, readLog } from "./logs.ts";
import { Processes, ROOT, type Running, tail } from "./processes.ts";

export type { LogLine } from "./logs.ts";

/** A wait that takes so long is taken for one without an end, milliseconds. */
const GIVE_UP_MS = 600_000;

/**
 * Parameters of a network that waits for processes on a slow machine: nothing fails there because somebody was slow. Tests
 * of failures and time-outs have others.
 */
export const PATIENT: ParameterChanges = {
  LeaseGrace: { value: 1200 },
  SeedTimeout: { value: 1200 },
  SettleTimeout: { value: 1200 },
  // An audit's seed has to come within it.
  DisputeWindow: { value: 1300 },
  ReportTimeout: { value: 65_535, max: 65_535 },
};

/** A whole network of real processes on a chain of its own, for tests that kill some of them. */
export class TestNetwork {
  readonly chain: DemoChain;
  readonly configs: Configs;
  readonly session: Session;
  readonly processes: Processes;
  /** Temporary; everything of this network is below. */
  readonly directory: string;

  private constructor(parts: Pick<TestNetwork, "chain" | "configs" | "session" | "processes" | "directory">) {
    this.chain = parts.chain;
    this.configs = parts.configs;
    this.session = parts.session;
    this.processes = parts.processes;
    this.directory = parts.directory;
  }

  /**
   * Starts the chain and the oracle.
   *
   * @param name Of the deployment; with this process's number, so that runs beside each other keep apart.
   * @param changes Parameters with other values than usual.
   */
  static async start(name: string, changes: ParameterChanges = {}): Promise<TestNetwork> {
    const directory = await mkdtemp(join(tmpdir(), `drmp-${name}-`));
    const deploymentId = `${name}-${String(process.pid)}`;
    const processes = new Processes(join(directory, "logs"));
    try {
      const chain = await startChain(processes, 1000, deploymentId, changes);
      const session = await openSession({
        network: { ...chain, chainId: LOCAL_CHAIN_ID },
        fees: { maxFeePerGas: "100", stuckAfter: 30 },
        journals: join(directory, "journals"),
      });
      const oracle = ["--rpc", chain.rpcUrl, "--deployment", chain.deployment, "--account", String(ACCOUNTS.oracle)];
      processes.start("oracle", ["packages/devnet/vrf-fulfiller.ts", ...oracle, "--blocks", "1"]);
      const configs = new Configs(directory, chain);
      return new TestNetwork({ chain, configs, session, processes, directory });
    } catch (error) {
      await processes.stop(processes.names(), 2000);
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Ends every process, those first that others wait for. */
  async stop(): Promise<void> {
    this.session.close();
    for (const name of this.processes.names()) await this.processes.kill(name).catch(() => undefined);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
    await rm(join(ROOT, "ignition", "deployments", deploymentOf(this.chain)), {
      recursive: true,
      force: true,
      maxRetries: 20,
      retryDelay: 250,
    });
  }

  /** Starts an agent, again under the same name after it was killed. */
  async agent(node: ParticipantNode, changes: object = {}): Promise<Running> {
    const config = await this.configs.agent(node, changes);
    return this.processes.start(node.name, ["agent/main.ts", "run", "--config", config]);
  }

  async keeper(): Promise<Running> {
    return this.processes.start("keeper", ["keepers/main.ts", "run", "--config", await this.configs.keeper(1)]);
  }

  /** All that a process has logged so far, over all its lives. */
  async log(name: string): Promise<LogLine[]> {
    return readLog(this.processes.logOf(name));
  }

  /**
   * Waits until something can be seen, however slow the machine is.
   *
   * @param look Returns what it saw, or undefined (false) if it is not there yet.
   * @throws Error naming what was waited for, and a process that failed meanwhile.
   */
  async until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    for (const end = performance.now() + GIVE_UP_MS; performance.now() < end; await delay(100)) {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      const failures = this.processes.failures();
      if (failures.length > 0) throw new Error(`not reached: ${what}; these processes failed: ${failures.join(", ")}`);
    }
    throw new Error(`not within ${String(GIVE_UP_MS / 1000)} s: ${what}`);
  }

  /** Runs a scenario; where it fails, the end of every log goes with the error. */
  async withTails(scenario: () => Promise<void>): Promise<void> {
    try {
      await scenario();
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? "") : String(error);
      throw new Error(`${what}\n${await this.tails()}`, { cause: error });
    }
  }

  /** The end of every log, for the output of a test that failed. */
  async tails(): Promise<string> {
    const folder = join(this.directory, "logs");
    const names = (await readdir(folder)).filter((name) => name !== "chain.log" && name !== "deploy.log");
    const ends = await Promise.all(names.map(async (name) => `── ${name}\n${await tail(join(folder, name), 60)}`));
    return ends.join("\n");
  }
}

function deploymentOf({ deployment }: DemoChain): string {
  return deployment.split("/").at(-2) ?? "";
}
