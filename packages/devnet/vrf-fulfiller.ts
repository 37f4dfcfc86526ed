/**
 * A stand-in for Chainlink's oracle on a simulated chain: it fulfils what is requested from Chainlink's own coordinator
 * mock a block or two later, as the real one does. It refuses to run anywhere else.
 *
 *     node packages/devnet/vrf-fulfiller.ts --rpc http://127.0.0.1:8545 --account 4 [--blocks 2]
 *     node packages/devnet/vrf-fulfiller.ts --rpc http://127.0.0.1:8545 --chain-id 84532 --keystore oracle.json --passphrase-file oracle.pass
 */
import { connect } from "@verai/client/deployment";
import { readDeployment } from "@verai/client/deployment-file";
import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openProvider } from "@verai/client/provider";
import { runLoop } from "@verai/process/loop";
import { createLogger } from "@verai/process/logger";
import { Heartbeat } from "@verai/process/heartbeat";
import { programOf, runProgram, shutdownSignal, wholeNumber } from "@verai/process/program";
import { requestRange, type Seen } from "./request-range.ts";

interface Options {
  readonly rpc: string;
  readonly deployment?: string;
  readonly account: number;
  readonly chainId: number;
  readonly keystore?: string;
  readonly passphraseFile?: string;
  readonly blocks: number;
}

/** Nodes that simulate a chain, by what they call themselves. */
const SIMULATORS = /hardhat|edr|anvil/i;

await runProgram(
  programOf("vrf-fulfiller", "Fulfils the randomness requests of a local chain's coordinator mock")
    .option("--rpc <url>", "JSON-RPC endpoint of the local chain", "http://127.0.0.1:8545")
    .option("--deployment <file>", "file with the deployed addresses")
    .option("--account <index>", "index of the test account that pays for the fulfilment", wholeNumber(), 4)
    .option("--chain-id <id>", "id of the simulated chain", wholeNumber(1), LOCAL_CHAIN_ID)
    .option("--keystore <file>", "encrypted keystore that pays instead of a test account")
    .option("--passphrase-file <file>", "file with the keystore's passphrase")
    .option("--blocks <count>", "blocks to wait after a request", wholeNumber(), 2)
    .action(run),
);

async function run(options: Options): Promise<void> {
  const signal = shutdownSignal();
  const logger = createLogger("oracle", "info");
  const { chainId, keystore, passphraseFile, account } = options;
  const provider = await openProvider(options.rpc, { chainId });
  const client = String(await provider.send("web3_clientVersion", []));
  if (!SIMULATORS.test(client)) {
    throw new Error(`${client} is not a simulated chain; on a public chain Chainlink's own oracle answers.`);
  }
  const source =
    keystore === undefined
      ? { testAccount: account }
      : { keystore, ...(passphraseFile !== undefined && { passphraseFile }) };
  const wallet = (await openSigner(source, chainId)).connect(provider);
  const deployment = await readDeployment(chainId, options.deployment);
  // What is deployed as on a public chain knows its coordinator by the interface alone; on a simulated one it is the mock.
  const { IVrfCoordinator: named, VRFCoordinatorV2_5Mock: mock = named } = deployment.addresses;
  const addresses = { ...deployment.addresses, ...(mock !== undefined && { VRFCoordinatorV2_5Mock: mock }) };
  const { coordinatorMock: coordinator, seeds } = connect({ ...deployment, addresses }, wallet);
  if (!coordinator) throw new Error("The deployment names no coordinator: name the file that network:deploy wrote.");

  let seen: Seen | undefined;

  await runLoop({
    name: "oracle",
    intervalMs: 500,
    maxBackoffMs: 5_000,
    signal,
    logger,
    heartbeat: new Heartbeat(60_000),
    cycle: async () => {
      const head = await provider.getBlock("latest");
      const range = head ? requestRange(head, seen, options.blocks) : undefined;
      if (!head || !range) return false;
      const { from, to } = range;
      const requests = await coordinator.queryFilter(coordinator.filters.RandomWordsRequested(), from, to);
      for (const { args } of requests) {
        // Asking for what is stored, not remembering what was sent: a restarted oracle fulfils nothing twice.
        if (BigInt(await seeds.seedOf(args.requestId)) !== 0n) continue;
        const sent = await coordinator.fulfillRandomWords(args.requestId, args.sender);
        await sent.wait();
        logger.info({ requestId: args.requestId.toString(), transaction: sent.hash }, "randomness fulfilled");
      }
      // Only now: a look that failed is repeated.
      seen = { hash: head.hash, to };
      return false;
    },
  });
  logger.info("oracle stopped");
  provider.destroy();
}
