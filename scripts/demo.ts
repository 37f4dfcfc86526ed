/**
 * The whole network on this machine: a local chain, the oracle, the keepers and agents as processes of their own, and two
 * developers who have models trained, while agents are killed and cut off, a stored block is damaged, the oracle falls
 * silent and the keeper is killed in the middle of a post. Ends with tables, and with exit code 0 only if everything in them
 * is as it must be.
 *
 *     node scripts/demo.ts [--json] [--keep] [--no-energy]
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { showEnergy } from "@verai/devnet/energy";
import { collectEnergy } from "@verai/tasks/energy/collect";
import { verify } from "./demo/verify.ts";
import { showInBrowser } from "@verai/devnet/look";
import { Processes, ROOT } from "@verai/devnet/processes";
import { printReport, type Report, reportJson } from "./demo/report.ts";
import { Output } from "@verai/devnet/output";
import { EXIT, interruptible, jsonOption, messageOf, programOf } from "@verai/process/program";
import { runScenario, type Scenario } from "./demo/scenario.ts";

const options = programOf(
  "demo",
  "Runs a whole DRMP network on this machine, from deployment to trained, paid-for models",
)
  .addOption(jsonOption("end with one line of JSON on standard output"))
  .option("--keep", "keep the network running afterwards, with its page in a browser, until Ctrl-C", false)
  .option("--no-energy", "leave out the part about load, power and energy")
  .parse()
  .opts<{ json: boolean; keep: boolean; energy: boolean }>();

const data = join(ROOT, ".data", "demo");
await rm(data, { recursive: true, force: true });
const output = new Output();
const processes = new Processes(join(data, "logs"));
const interrupted = interruptible((text) => {
  output.say(text);
});
interrupted.addEventListener("abort", () => void stopAll().then(() => process.exit()));

try {
  const scenario = await runScenario(processes, output, data);
  const examined = await verify(scenario, output, data);
  const report = options.energy ? await withEnergy(scenario, examined) : examined;
  output.close();
  if (options.json) process.stdout.write(`${reportJson(report)}\n`);
  else process.stdout.write(`\n${printReport(report)}\n`);
  process.exitCode = report.checks.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
  if (options.keep) {
    output.say("reading the history for a look at it in a browser");
    const url = await showInBrowser(processes, scenario.chain, scenario.configs);
    output.say(
      `the network keeps running: in a browser ${url}, RPC ${report.rpcUrl}, logs in ${join(data, "logs")}; Ctrl-C ends it`,
    );
    await new Promise(() => undefined);
  }
} catch (error) {
  output.close();
  if (!interrupted.aborted) {
    process.stderr.write(`\n${messageOf(error)}\nLogs: ${join(data, "logs")}\n`);
    process.exitCode = EXIT.failed;
  }
}
if (!interrupted.aborted) {
  await stopAll();
  // Without this, sockets of the chain's last answers keep the process alive for a while.
  process.exit();
}

/** Goes on with load, power and energy on the network that the scenario leaves. */
async function withEnergy({ session, configs }: Scenario, report: Report): Promise<Report> {
  const say = (text: string) => {
    output.say(text);
  };
  const processOf = ({ name }: { readonly name: string }) => `agent-${name}`;
  const energy = await showEnergy({ session, processes, configs, say, processOf, collect: collectEnergy });
  return { ...report, energy, checks: [...report.checks, ...energy.checks] };
}

async function stopAll(): Promise<void> {
  const names = processes.names();
  const agents = names.filter((name) => name.startsWith("agent-"));
  await processes.stop(agents, 30_000);
  await processes.stop(
    names.filter((name) => !agents.includes(name) && name !== "chain"),
    10_000,
  );
  await processes.stop(["chain"], 5_000);
}
