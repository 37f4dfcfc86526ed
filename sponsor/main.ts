/**
 * A sponsor: pays the gas of passkey accounts within bounds, and relays their operations.
 *
 *     node sponsor/main.ts run --config sponsor.json    serve until SIGINT or SIGTERM
 *     node sponsor/main.ts check --config sponsor.json    say whether run would work, and what to correct (--json)
 *     node sponsor/main.ts status --config sponsor.json   say what was paid today, and what is left
 */
import { join } from "node:path";

import { Contract, formatEther, parseEther } from "ethers";
import { Registry } from "prom-client";

import { abiOf } from "@verai/client/abi";
import { readDeployment } from "@verai/client/deployment-file";
import { devnetAt } from "@verai/client/devnet";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSigner } from "@verai/client/keys";
import { openSession } from "@verai/client/session";
import { readConfig } from "@verai/process/config";
import { serveHealth } from "@verai/process/endpoint";
import { endpointLog } from "@verai/process/endpoint-log";
import { Heartbeat } from "@verai/process/heartbeat";
import { runLoop } from "@verai/process/loop";
import { configOption, programOf, runProgram } from "@verai/process/program";
import { addService, type Service, type ServiceRun } from "@verai/process/service";
import { serveSponsor } from "./api.ts";
import { SponsorChain } from "./chain.ts";
import { checkSponsor, configFindings } from "./check.ts";
import { type SponsorConfig, sponsorConfig } from "./config.ts";
import { SponsorError } from "./errors.ts";
import { dayOf, Ledger, type Limits } from "./ledger.ts";
import { sponsorMetrics } from "./metrics.ts";
import { cloneCode, implementationOf, rulesOf } from "./rules.ts";
import { Sponsor } from "./sponsor.ts";

const program = programOf("sponsor", "Pays the gas of passkey accounts within bounds, and relays their operations");

const service: Service<SponsorConfig> = {
  name: "sponsor",
  runs: "serve wallets",
  checks: "configuration, ports, keys, endpoints, paymaster, deposit",
  stopping: "stopping once what is being sent has arrived",
  read: (file) => readConfig(file, sponsorConfig),
  findings: configFindings,
  check: checkSponsor,
};
addService(program, service, serve);

program
  .command("status")
  .description("say what was paid today and what may still come, by the database")
  .addOption(configOption())
  .action(({ config }: { config: string }) => {
    const { dataDir, limits } = readConfig(config, sponsorConfig);
    const ledger = new Ledger(join(dataDir, "sponsor.sqlite"), limitsOf(limits));
    const { day, operations, failed, paid, reserved } = ledger.spent(dayOf(Date.now() / 1000));
    ledger.close();
    process.stdout.write(
      `${day}: ${String(operations)} operations, ${String(failed)} of them failed; ${formatEther(paid)} ETH paid, ${formatEther(reserved)} ETH may still come, of ${limits.perDay} ETH a day\n`,
    );
  });

await runProgram(program);

function limitsOf({ perOperation, perAccountDay, perClientDay, perDay, ...rest }: SponsorConfig["limits"]): Limits {
  return {
    ...rest,
    perOperation: parseEther(perOperation),
    perAccountDay: parseEther(perAccountDay),
    perClientDay: parseEther(perClientDay),
    perDay: parseEther(perDay),
  };
}

async function serve({ config, logger, signal }: ServiceRun<SponsorConfig>): Promise<void> {
  const { network, dataDir } = config;
  const { chainId } = network;
  const registry = new Registry();
  const session = await openSession({
    ...{ network, fees: config.fees, journals: join(dataDir, "journals"), stop: signal },
    onEndpoint: endpointLog(logger),
  });
  const { provider } = session;
  const file = network.deployment ?? (chainId === LOCAL_CHAIN_ID ? devnetAt(network.rpcUrl)?.deployment : undefined);
  const deployment = await readDeployment(chainId, file);
  const rules = rulesOf(deployment);
  const paymaster = config.paymaster ?? deployment.addresses.SponsorPaymaster;
  if (paymaster === undefined) {
    const message = `The deployment of chain ${String(chainId)} names no SponsorPaymaster; name yours as paymaster.`;
    throw new SponsorError("NO_PAYMASTER", "internal", message);
  }
  const signer = await openSigner(config.signer, chainId);
  const contract = new Contract(paymaster, abiOf("SponsorPaymaster"), provider);
  const known = (await contract.getFunction("signer").staticCall()) as string;
  const { name, version } = (await contract.getFunction("eip712Domain").staticCall()) as Record<
    "name" | "version",
    string
  >;
  if (known !== signer.address) {
    const message = `The paymaster ${paymaster} knows ${known} as its signer, not ${signer.address}; name its key, or have its owner call setSigner.`;
    throw new SponsorError("OTHER_SIGNER", "internal", message);
  }
  const factory = new Contract(rules.factory, abiOf("PasskeyAccountFactory"), provider);
  const chain = new SponsorChain(provider, cloneCode(await implementationOf(factory)));
  const ledger = new Ledger(join(dataDir, "sponsor.sqlite"), limitsOf(config.limits));
  const { signer: relayer, queue } = await session.queue(config.relayer);
  const heartbeat = new Heartbeat(Math.max(60_000, config.interval * 10_000));
  let deposit = 0n;
  const spent = () => ledger.spent(dayOf(Date.now() / 1000));
  const metrics = sponsorMetrics(registry, spent, () => deposit);
  const sponsor = new Sponsor({
    ...{ chain, chainId, rules, ledger, paymaster, signer },
    domain: { name, version, chainId, verifyingContract: paymaster },
    relayer: { address: relayer.address, queue },
    accountOf: async (x, y) => factory.getFunction("accountOf").staticCall(x, y) as Promise<string>,
    onSent: (operation, transaction, success) => {
      metrics.operations.inc({ outcome: success ? "done" : "failed" });
      logger.info({ operation, transaction, success }, "operation carried out");
    },
    onFailure: (operation, error) => {
      metrics.operations.inc({ outcome: "not sent" });
      logger.warn({ operation, err: error }, "operation not sent");
    },
  });
  const status = async () => {
    const { day, operations, failed, paid, reserved } = spent();
    return {
      ...{ chainId, paymaster, day, operations, failed },
      ...{
        paid: formatEther(paid),
        reserved: formatEther(reserved),
        deposit: formatEther(await chain.deposit(paymaster)),
      },
      limits: config.limits,
    };
  };
  const endpoint = await serveHealth({ ...config.service, heartbeat, registry });
  const api = await serveSponsor({
    ...{ ...config.api, chainId, sponsor, status },
    onAnswer: (method, code) => {
      metrics.answers.inc({ method, code });
    },
    onError: (error) => {
      logger.error({ err: error }, "an answer failed");
    },
  });
  logger.info({ api: api.url, url: endpoint.url, paymaster, relayer: relayer.address }, "sponsor started");
  heartbeat.expect("look");
  await runLoop({
    name: "look",
    cycle: async () => {
      await sponsor.look();
      deposit = await chain.deposit(paymaster);
      return false;
    },
    intervalMs: config.interval * 1000,
    maxBackoffMs: 30_000,
    ...{ signal, logger, heartbeat },
  });
  await api.close();
  await sponsor.stop();
  await endpoint.close();
  ledger.close();
  session.close();
  logger.info("sponsor stopped");
}
