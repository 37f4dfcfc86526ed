import { join } from "node:path";

import { Contract, formatEther, parseEther } from "ethers";

import { abiOf } from "@verai/client/abi";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { readDeployment } from "@verai/client/deployment-file";
import { devnetAt } from "@verai/client/devnet";
import { openSigner } from "@verai/client/keys";
import { connectChecked } from "@verai/process/check/connect";
import { directoryFindings, keyFindings } from "@verai/process/check/files";
import { CheckList, type CheckReport, type Finding } from "@verai/process/check/finding";
import { feeFindings, gasFindings } from "@verai/process/check/money";
import { clashFindings, type PortUse, takenFindings } from "@verai/process/check/ports";
import type { SponsorConfig } from "./config.ts";
import { ENTRY_POINT } from "./operation.ts";

/** Room for the database and journals, bytes. */
const MIN_FREE = 64 * 2 ** 20;
/** ETH of the relayer below which operations may not be sent: it pays first. */
const LOW_RELAYER = "0.001";

function ports({ api, service }: SponsorConfig): PortUse[] {
  return [
    { entry: "api.port", host: api.host, port: api.port },
    { entry: "service.port", host: service.host, port: service.port },
  ];
}

/** Everything of a configuration that can be judged without asking anybody. Pure. */
export function configFindings(config: SponsorConfig): Finding[] {
  const { perOperation, perAccountDay, perClientDay, perDay } = config.limits;
  const order = [
    ["perAccountDay", perAccountDay],
    ["perClientDay", perClientDay],
    ["perDay", perDay],
  ] as const;
  const limits = order
    .filter(([, amount]) => parseEther(amount) < parseEther(perOperation))
    .map(([name, amount]): Finding => ({
      level: "error",
      entry: `limits.${name}`,
      value: `${amount} ETH`,
      what: "is below what one operation may cost, so that nothing is paid for",
      bound: `at least limits.perOperation, ${perOperation} ETH`,
      remedy: "raise it, or lower limits.perOperation",
    }));
  return [...clashFindings(ports(config)), ...limits];
}

/** Looks at everything that `run` will use, and changes nothing. */
export async function checkSponsor(
  config: SponsorConfig,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CheckReport> {
  const list = new CheckList();
  const { network, dataDir, fees, limits } = config;
  const { chainId } = network;
  list.add(...configFindings(config), ...(await takenFindings(ports(config))));
  list.add(...(await directoryFindings("dataDir", dataDir, MIN_FREE)));
  const signerProblems = await keyFindings("signer", config.signer, chainId);
  const relayerProblems = await keyFindings("relayer", config.relayer, chainId);
  list.add(...signerProblems, ...relayerProblems);
  const session = await connectChecked(list, { network, fees, journals: join(dataDir, "journals"), env });
  if (!session) return list.report;
  const { provider } = session;
  await list.part("network", "a chain that answers", async () => {
    const block = await session.reader.block();
    list.fact("network", `chain ${String(chainId)}, block ${String(block.number)}`);
    const fee = (await provider.getFeeData()).maxFeePerGas;
    if (fee !== null) list.add(...feeFindings(fees.maxFeePerGas, fee));
    if (relayerProblems.every(({ level }) => level !== "error")) {
      const { address } = await openSigner(config.relayer, chainId);
      const balance = await provider.getBalance(address);
      list.fact("relayer", `${address}, ${formatEther(balance)} ETH`);
      list.add(...gasFindings("relayer", address, balance, LOW_RELAYER));
    }
  });
  await list.part("paymaster", "a paymaster of this sponsor", async () => {
    const local = chainId === LOCAL_CHAIN_ID ? devnetAt(network.rpcUrl)?.deployment : undefined;
    const { addresses } = await readDeployment(chainId, network.deployment ?? local);
    const paymaster = config.paymaster ?? addresses.SponsorPaymaster;
    if (paymaster === undefined || (await provider.getCode(paymaster)) === "0x") {
      list.add({
        level: "error",
        entry: "paymaster",
        value: paymaster ?? "left out",
        what: "is no contract on this chain",
        bound: "a SponsorPaymaster of yours",
        remedy: "deploy one with ignition/modules/Sponsor.ts, and name it",
      });
      return;
    }
    const contract = new Contract(paymaster, abiOf("SponsorPaymaster"), provider);
    if (signerProblems.every(({ level }) => level !== "error")) {
      const { address } = await openSigner(config.signer, chainId);
      const known = (await contract.getFunction("signer").staticCall()) as string;
      if (known !== address) {
        list.add({
          level: "error",
          entry: "signer",
          value: address,
          what: `is not whom the paymaster ${paymaster} knows`,
          bound: known,
          remedy: "name that key, or have the paymaster's owner call setSigner",
        });
      }
    }
    const entryPoint = new Contract(ENTRY_POINT, ["function balanceOf(address) view returns (uint256)"], provider);
    const deposit = (await entryPoint.getFunction("balanceOf").staticCall(paymaster)) as bigint;
    list.fact("paymaster", `${paymaster}, ${formatEther(deposit)} ETH deposited`);
    if (deposit < parseEther(limits.perOperation)) {
      list.add({
        level: deposit === 0n ? "error" : "warning",
        entry: "paymaster",
        value: `${formatEther(deposit)} ETH deposited`,
        what: "does not pay for an operation at its limit",
        bound: `limits.perOperation, ${limits.perOperation} ETH, or more`,
        remedy: "call deposit() of the paymaster with ETH",
      });
    }
  });
  session.close();
  return list.report;
}
