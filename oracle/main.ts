/**
 * A stand-in for Chainlink's oracle on a local chain: it fulfils what is requested from Chainlink's own coordinator mock
 * a block or two later, as the real one does. It refuses to run anywhere else.
 *
 *     node oracle/main.ts --rpc http://127.0.0.1:8545 --account 4 [--blocks 2]
 */
import { Command } from "commander";

import { connect, readDeployment } from "../chain/deployment.ts";
import { ChainError } from "../chain/errors.ts";
import { openSigner } from "../chain/keys.ts";
import { LOCAL_CHAIN_ID, openProvider } from "../chain/provider.ts";
import { runLoop } from "../service/loop.ts";
import { createLogger } from "../service/logger.ts";
import { Pulse } from "../service/pulse.ts";
import { shutdownSignal } from "../service/shutdown.ts";

const options = new Command("oracle")
  .description("Fulfils the randomness requests of a local chain's coordinator mock")
  .option("--rpc <url>", "JSON-RPC endpoint of the local chain", "http://127.0.0.1:8545")
  .option("--deployment <file>", "file with the deployed addresses")
  .option("--account <index>", "index of the test account that pays for the fulfilment", Number, 4)
  .option("--blocks <count>", "blocks to wait after a request", Number, 2)
  .parse()
  .opts<{ rpc: string; deployment?: string; account: number; blocks: number }>();

try {
  await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ChainError && error.retryable ? 75 : 1;
}

async function run(): Promise<void> {
  const signal = shutdownSignal();
  const logger = createLogger("oracle", "info");
  const provider = await openProvider(options.rpc, { chainId: LOCAL_CHAIN_ID });
  const wallet = (await openSigner({ testAccount: options.account }, LOCAL_CHAIN_ID)).connect(provider);
  const { coordinator, seeds } = connect(await readDeployment(LOCAL_CHAIN_ID, options.deployment), wallet);
  if (!coordinator)
    throw new Error("The deployment names no VRFCoordinatorV2_5Mock; deploy ignition/modules/Local.ts.");

  /** First block that may hold a request that was not looked at yet. */
  let from = 0;

  await runLoop({
    name: "oracle",
    intervalMs: 500,
    maxBackoffMs: 5_000,
    signal,
    logger,
    pulse: new Pulse(60_000),
    cycle: async () => {
      const ripe = (await provider.getBlockNumber()) - options.blocks;
      if (ripe < from) return false;
      const requests = await coordinator.queryFilter(coordinator.filters.RandomWordsRequested(), from, ripe);
      for (const { args } of requests) {
        // Asking for what is stored, not remembering what was sent: a restarted oracle fulfils nothing twice.
        if (BigInt(await seeds.seedOf(args.requestId)) !== 0n) continue;
        const sent = await coordinator.fulfillRandomWords(args.requestId, args.sender);
        await sent.wait();
        logger.info({ requestId: args.requestId.toString(), transaction: sent.hash }, "randomness fulfilled");
      }
      from = ripe + 1;
      return false;
    },
  });
  logger.info("oracle stopped");
  provider.destroy();
}
