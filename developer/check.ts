import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { formatEther } from "ethers";

import { openSigner } from "@verai/client/keys";
import { answer } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { parsePrice, parseVer } from "@verai/protocol/money/ver";
import { listenFindings } from "@verai/process/check/addresses";
import { connectChecked } from "@verai/process/check/connect";
import { directoryFindings, keyFindings } from "@verai/process/check/files";
import { CheckList, type CheckReport, type Finding } from "@verai/process/check/finding";
import { gasFindings } from "@verai/process/check/money";
import { clashFindings, portsOf, takenFindings } from "@verai/process/check/ports";
import { readConfig } from "@verai/process/config";
import { parseSpec, type TaskSpec } from "@verai/executor/spec";
import { auditChanceOf, auditsText } from "./audit-chance.ts";
import { type DeveloperConfig, type TaskTerms, taskTerms } from "./config.ts";
import { requireRunnable } from "./requirements.ts";

/** Room for results and journals, bytes. */
const MIN_FREE = 256 * 2 ** 20;
/** ETH below which submitting and accepting may not be paid for. */
const LOW_BALANCE = "0.0005";

/** Files of a task that is to be submitted; either may be left out. */
export interface TaskFiles {
  readonly spec?: string | undefined;
  readonly terms?: string | undefined;
}

/** Looks at everything that `train` will use, and changes nothing. */
export async function checkDeveloper(
  config: DeveloperConfig,
  files: TaskFiles = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<CheckReport> {
  const list = new CheckList();
  const { network, key, store } = config;
  const ports = portsOf("store.listen", store.listen);
  list.add(...listenFindings({ entry: "store.listen", addresses: store.listen }));
  list.add(...clashFindings(ports), ...(await takenFindings(ports)));
  list.add(...(await directoryFindings("dataDir", config.dataDir, MIN_FREE)));
  const keyProblems = await keyFindings("key", key, network.chainId);
  list.add(...keyProblems);
  const { spec, terms } = await readTask(list, files);
  if (spec && terms) {
    await list.part("spec", "what nodes of the terms' classes can run", () => {
      requireRunnable(spec, { ...terms, classes: Object.keys(terms.classes), trainers: config.trainers });
    });
  }
  const session = await connectChecked(list, {
    network,
    fees: config.fees,
    journals: join(config.dataDir, "journals"),
    env,
  });
  if (!session) return list.report;
  await list.part("network", "a chain that answers", async () => {
    const { reader, provider } = session;
    const block = await reader.block();
    list.fact("network", `chain ${String(network.chainId)}, block ${String(block.number)}`);
    if (terms) list.add(...(await termsFindings(session, terms)));
    if (spec && terms) {
      const { feeBps } = await reader.parameters(block);
      list.fact("audits", auditsText(auditChanceOf(terms.auditChance, spec, feeBps), terms.auditChance));
    }
    if (keyProblems.some(({ level }) => level === "error")) return;
    const { address } = await openSigner(key, network.chainId);
    const [eth, ver] = await Promise.all([
      provider.getBalance(address),
      answer(session.contracts.token.balanceOf(address)),
    ]);
    list.fact("key", `${address}, ${formatEther(eth)} ETH, ${formatEther(ver)} VER`);
    list.add(...gasFindings("key", address, eth, LOW_BALANCE));
    if (terms) list.add(...(await escrowFindings(session, terms, address, ver)));
  });
  session.close();
  return list.report;
}

async function readTask(
  list: CheckList,
  files: TaskFiles,
): Promise<{ spec: TaskSpec | undefined; terms: TaskTerms | undefined }> {
  const { spec: specFile, terms: termsFile } = files;
  const spec =
    specFile === undefined
      ? undefined
      : await list.part("spec", "a task spec", async () => parseSpec(new Uint8Array(await readFile(specFile))));
  const terms =
    termsFile === undefined
      ? undefined
      : await list.part("terms", "a task's terms", () => readConfig(termsFile, taskTerms));
  return { spec, terms };
}

/** What the chain would refuse of a task's terms. */
async function termsFindings({ reader }: Session, terms: TaskTerms): Promise<Finding[]> {
  const block = await reader.block();
  const [classes, parameters] = await Promise.all([reader.classes(block), reader.parameters(block)]);
  const findings: Finding[] = [];
  const wrong = (entry: string, value: string, what: string, bound: string, remedy: string) =>
    findings.push({ level: "error", entry, value, what, bound, remedy });
  const names = Object.keys(terms.classes);
  if (names.length === 0)
    wrong(
      "terms.classes",
      "{}",
      "names no class",
      `one or more of: ${classes.map(({ name }) => name).join(", ")}`,
      "name what may run the task",
    );
  for (const name of names) {
    if (!classes.some((one) => one.name === name))
      wrong(
        "terms.classes",
        name,
        "is not a class of this network",
        `one of: ${classes.map((one) => one.name).join(", ")}`,
        "correct its name, or leave it out",
      );
  }
  try {
    const price = parsePrice(terms.maxPrice);
    if (price === 0)
      wrong("terms.maxPrice", terms.maxPrice, "is zero, which no node accepts", "0.000001 VER or more", "raise it");
    for (const [name, surcharge] of Object.entries(terms.classes)) {
      if (parsePrice(surcharge) >= price)
        wrong(
          "terms.classes",
          `${name}: ${surcharge}`,
          "leaves nothing to pay a node of this class with",
          `a surcharge below maxPrice, ${terms.maxPrice} VER`,
          "lower the surcharge, or leave the class out",
        );
    }
  } catch (error) {
    wrong(
      "terms.maxPrice",
      terms.maxPrice,
      error instanceof Error ? error.message : String(error),
      "a whole number of micro-VER",
      "use one of the amounts named",
    );
  }
  const { minCheckpointInterval: min, maxCheckpointInterval: max, minLeaseTime, maxTaskTime } = parameters;
  const interval = terms.checkpointInterval;
  if (interval < min || interval > max)
    wrong(
      "terms.checkpointInterval",
      `${String(interval)} s`,
      "is out of this network's bounds",
      `from ${String(min)} s to ${String(max)} s`,
      "change it",
    );
  if (terms.within < minLeaseTime)
    wrong(
      "terms.within",
      `${String(terms.within)} s`,
      "is too short for a lease",
      `${String(minLeaseTime)} s or more`,
      "raise it",
    );
  if (terms.within > maxTaskTime)
    wrong(
      "terms.within",
      `${String(terms.within)} s`,
      "is longer than this network lets a task run",
      `${String(maxTaskTime)} s or less`,
      "lower it",
    );
  return findings;
}

async function escrowFindings(
  { reader, contracts }: Session,
  terms: TaskTerms,
  address: string,
  held: bigint,
): Promise<Finding[]> {
  const maxPrice = parseVer(terms.maxPrice);
  const { escrow, fee } = await reader.depositFor(await reader.block(), {
    ...{ units: terms.units, maxPrice, auditChance: terms.auditChance ?? 0 },
  });
  const drip = contracts.faucet ? await answer(contracts.faucet.DRIP()) : 0n;
  if (held + drip >= escrow + fee) return [];
  return [
    {
      level: "error",
      entry: "terms.units",
      value: `${String(terms.units)} units`,
      what: `need ${formatEther(escrow + fee)} VER, and ${address} holds ${formatEther(held)} VER`,
      bound: `affordable with that${drip > 0n ? ` and the faucet's ${formatEther(drip)} VER a day` : ""}`,
      remedy: `get ${formatEther(escrow + fee - held)} VER more, or ask for fewer units`,
    },
  ];
}
