/**
 * A whole network on this machine that stays up: chain, contracts, oracle, keeper and nodes, on fixed ports. Every command
 * finds it without options while it runs.
 *
 *     node scripts/devnet.ts [--ports 8545] [--fresh] [--json]    start it; Ctrl-C ends it
 *     node scripts/devnet.ts stop                                 end it from another terminal
 *     node scripts/devnet.ts kill ada                             let a service fail
 *     node scripts/devnet.ts start ada                            bring it back
 */
import { devnetFolder, findDevnet } from "@verai/client/devnet";
import { devnetOutput } from "@verai/devnet/playground/announce";
import { endDevnet, giveOrder, runningDevnet } from "@verai/devnet/playground/orders";
import { Devnet } from "@verai/devnet/playground/playground";
import { FIRST_PORT, PORTS } from "@verai/devnet/playground/ports";
import { DrmpError } from "@verai/errors/drmp-error";
import {
  EXIT,
  exitCodeOf,
  interruptible,
  jsonOption,
  messageOf,
  programOf,
  runProgram,
  wholeNumber,
} from "@verai/process/program";

const folder = devnetFolder();

const program = programOf(
  "devnet",
  "Starts a whole DRMP network on this machine, which stays up until Ctrl-C; every command finds it",
)
  .option("--ports <first>", `first of the ${String(PORTS)} ports that it uses`, wholeNumber(), FIRST_PORT)
  .option("--fresh", "first end a devnet that runs", false)
  .addOption(jsonOption("print one JSON object a line on standard output instead of text"))
  .addHelpText(
    "after",
    `
The chain is in memory: each start is a new network. Everything else is in .data/devnet, or in the folder that
DRMP_DEVNET names: logs, configuration files, keys' journals, and state.json, by which commands find it.

Examples:
  scripts/drmp devnet
  scripts/drmp devnet --ports 9545
  scripts/drmp status
  scripts/drmp devnet kill ada
  scripts/drmp devnet stop`,
  )
  .action(up);

program
  .command("stop")
  .description("end the devnet that runs, from another terminal")
  .action(async () => {
    await endDevnet(runningDevnet(folder));
    process.stdout.write("The devnet has ended.\n");
  });
program
  .command("kill")
  .description("end one of its services at once, as a machine that fails")
  .argument("<service>", "such as ada; `scripts/drmp status` lists them")
  .action(async (name: string) => {
    await giveOrder(runningDevnet(folder), "kill", name);
    process.stdout.write(`${name} is killed; \`scripts/drmp devnet start ${name}\` brings it back.\n`);
  });
program
  .command("start")
  .description("start one of its services again")
  .argument("<service>", "such as ada; `scripts/drmp status` lists them")
  .action(async (name: string) => {
    await giveOrder(runningDevnet(folder), "start", name);
    process.stdout.write(`${name} is started again.\n`);
  });

await runProgram(program);

/** Starts it, and keeps it up until it is told to end. */
async function up({ ports, fresh, json }: { ports: number; fresh: boolean; json: boolean }): Promise<void> {
  const output = devnetOutput(json);
  const end = Promise.withResolvers<void>();
  const signal = interruptible((text) => {
    output.say(text);
    end.resolve();
  });
  const running = fresh ? findDevnet(folder) : undefined;
  let devnet: Devnet | undefined;
  try {
    if (running) {
      output.say(`ending the devnet that runs (process ${String(running.pid)})`);
      await endDevnet(running);
    }
    devnet = await Devnet.prepare({
      folder,
      firstPort: ports,
      signal,
      say: output.say,
      onEnd: (service, how) => {
        output.ended(service, how);
        // Without its chain there is no network.
        if (service.kind !== "chain") return;
        process.exitCode = EXIT.failed;
        end.resolve();
      },
      onStop: end.resolve,
    });
    output.ready(await devnet.start());
    await end.promise;
    // It was up and is ended as it should be.
    if (signal.aborted) process.exitCode = EXIT.done;
  } catch (error) {
    if (!signal.aborted) {
      output.failed(error instanceof DrmpError ? error.code : "FAILED", messageOf(error));
      process.exitCode = exitCodeOf(error);
    }
  }
  if (devnet) {
    await devnet.stop();
    output.stopped();
  }
  // Sockets of the last answers would keep the process alive for a while.
  process.exit();
}
