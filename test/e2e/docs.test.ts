/**
 * Runs the command blocks of README and of the guides as they are written, against a local network. Replaced are the
 * network's name, chain id and endpoint, the places of keys and files, this machine's address and ports, of which others may
 * have the usual ones, and the numbers of nodes, tasks and leases; where this machine has no container engine, units run as processes. Takes three to five minutes.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { parseEther, toQuantity } from "ethers";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSession } from "@verai/client/session";
import { deploymentFile, setMining, startNode } from "@verai/devnet/chain";
import { Processes } from "@verai/devnet/processes";
import { Pages } from "../docs/page.ts";
import { atTerminal, type Running } from "../docs/terminal.ts";
import { freeRange } from "../support/free-range.ts";

const README = "README.md";
const CONTRIBUTOR = "docs/guides/contributor.md";
const DEVELOPER = "docs/guides/developer.md";
const KEEPER = "docs/guides/keeper.md";
const DEPLOYER = "docs/guides/deployer.md";
const SETUP = "docs/guides/setup.md";

/** Commands that are not run here, and why. */
const NOT_HERE = [
  [README, "scripts/drmp devnet", "test/e2e/devnet.test.ts runs it"],
  [README, "scripts/drmp demo", "test/e2e/demo.test.ts runs it"],
  [README, "scripts/drmp test", "it runs this very test"],
  [SETUP, "scripts/drmp compile", "`npm test` begins with it"],
  [KEEPER, "node keepers/main.ts run", "keeper:run, which is the same program, is run here"],
  [
    DEPLOYER,
    "npx hardhat network:verify",
    "explorers know no local chain; test/chain/deploy-task.test.ts runs it with one",
  ],
  [DEVELOPER, "npx hardhat task:dispute", "needs a result that nobody accepts; test/chain/tasks.test.ts runs it"],
  [DEVELOPER, "npx hardhat task:raise-price", "needs a task that waits; test/chain/tasks.test.ts runs it"],
] as const;

const folder = await mkdtemp(join(tmpdir(), "drmp-docs-"));
const processes = new Processes(join(folder, "logs"));
const running = new Set<Running>();
const own = dirname(deploymentFile("chain-31337"));
const aside = `${own}.aside-${String(process.pid)}`;

after(async () => {
  for (const one of running) one.kill();
  await processes.stop(processes.names(), 5_000);
  await rm(own, { recursive: true, force: true });
  if (existsSync(aside)) await rename(aside, own);
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

test("the commands of README and guides work as they are written", { timeout: 3_600_000 }, async () => {
  if (existsSync(own)) await rename(own, aside);
  const pages = new Pages();
  for (const [file, beginning] of NOT_HERE) pages.command(file, beginning);
  const rpcUrl = await startNode(processes);
  await setMining(rpcUrl, "automatic");
  const first = await freeRange(5);
  // Above the peers' port is that of checkpoints over HTTP.
  const ports = { agent: first, keeper: first + 1, reports: first + 2, peers: first + 3 };
  const numbers = { node: 1, task: 1, operator: "", owner: "", consent: "" };

  /** What a reader replaces by their own, and nothing else. */
  const mine = (text: string): string =>
    text
      .replaceAll("--network baseSepolia", "--network localhost")
      .replaceAll("BASE_SEPOLIA_RPC_URL", "DRMP_LOCALHOST_URL")
      .replaceAll(/https:\/\/(sepolia\.base\.org|base-sepolia-rpc\.publicnode\.com)/g, rpcUrl)
      .replaceAll('"chainId": 84532', '"chainId": 31337')
      .replaceAll(/~\/keys|\/home\/me\/keys/g, join(folder, "keys"))
      .replaceAll("/home/me", folder)
      .replaceAll(/(?<= )(agent|developer|keeper|spec|terms)\.json/g, join(folder, "$1.json"))
      .replaceAll("--out results", `--out ${join(folder, "results")}`)
      .replaceAll("--path ./data", `--path ${join(folder, "data")}`)
      .replaceAll("203.0.113.7", "127.0.0.1")
      .replaceAll("/tcp/4001", `/tcp/${String(ports.peers)}`)
      .replaceAll("0xYourOperatorAddress", numbers.operator)
      .replaceAll("0xYourOwnerAddress", numbers.owner)
      .replaceAll("1764000000:0xYourConsent", numbers.consent)
      .replaceAll(/--node 7\b/g, `--node ${String(numbers.node)}`)
      .replaceAll(/--task (7|12)\b/g, `--task ${String(numbers.task)}`);

  const environment: Record<string, string> = {};
  const start = (file: string, beginning: string, change = (text: string) => text): Running => {
    const one = atTerminal(change(mine(pages.command(file, beginning))), environment);
    running.add(one);
    void one.exit.finally(() => running.delete(one));
    return one;
  };
  /** Runs a command to its end. @returns what it showed. */
  const run = async (file: string, beginning: string, change?: (text: string) => string, code = 0): Promise<string> => {
    const one = start(file, beginning, change);
    const ended = await one.exit;
    assert.equal(ended, code, `${file}: ${beginning}\n${one.shown()}`);
    return one.shown();
  };
  const until = async (what: string, look: () => boolean | Promise<boolean>, show: () => string): Promise<void> => {
    for (const end = performance.now() + 600_000; performance.now() < end; await delay(250)) if (await look()) return;
    throw new Error(`not within ten minutes: ${what}\n${show().slice(-4000)}`);
  };
  const write = async (name: string, text: string): Promise<void> => writeFile(join(folder, name), mine(text));
  const exported = (file: string, name: string): void => {
    const [, value = ""] = /="?([^"]*)"?$/.exec(mine(pages.command(file, `export ${name}=`))) ?? [];
    environment[mine(name)] = value.replaceAll("$PWD", process.cwd()).replaceAll("$PATH", process.env["PATH"] ?? "");
  };
  exported(SETUP, "PATH");
  exported(SETUP, "BASE_SEPOLIA_RPC_URL");

  // The contracts.
  assert.match(
    await run(DEPLOYER, "npx hardhat network:deploy --network baseSepolia --dry-run"),
    /Dry run: nothing was sent/,
  );
  assert.match(await run(DEPLOYER, "npx hardhat network:deploy --network baseSepolia"), /Deployed for/);
  const session = await openSession({
    network: { rpcUrl, chainId: LOCAL_CHAIN_ID },
    fees: { maxFeePerGas: "100", stuckAfter: 30 },
    journals: join(folder, "journals"),
  });
  await setMining(rpcUrl, 500);
  // Chainlink's oracle, which no guide starts.
  processes.start("oracle", ["packages/devnet/vrf-fulfiller.ts", "--rpc", rpcUrl]);

  // Keys, and the ETH that the guides say to send.
  await mkdir(join(folder, "unused"), { recursive: true });
  await run(CONTRIBUTOR, "mkdir -p ~/keys");
  const fund = async (said: string): Promise<string> => {
    const address = /(0x[0-9a-fA-F]{40}) is the address/.exec(said)?.[1] ?? assert.fail(said);
    await session.provider.send("hardhat_setBalance", [address, toQuantity(parseEther("0.5"))]);
    return address;
  };
  numbers.owner = await fund(await run(CONTRIBUTOR, "npx hardhat key:new --keystore ~/keys/owner.json"));
  numbers.operator = await fund(await run(CONTRIBUTOR, "npx hardhat key:new --keystore ~/keys/operator.json"));
  await fund(await run(DEVELOPER, "npx hardhat key:new"));
  await fund(await run(KEEPER, "npx hardhat key:new"));

  // The contributor registers and runs a node.
  const consent = await run(CONTRIBUTOR, "npx hardhat node:consent");
  numbers.consent = /\d{10}:0x[0-9a-f]+/.exec(consent)?.[0] ?? assert.fail(consent);
  const register = "npx hardhat node:register";
  assert.match(await run(CONTRIBUTOR, register), /simulated: .*[\s\S]*nothing was sent/);
  await run(CONTRIBUTOR, register, (text) => text.replace(" --dry-run", ""));
  const engine = existsSync("/var/run/docker.sock");
  const withoutEngine = (text: string): string =>
    engine
      ? text
      : text.replace('{ "kind": "container", "trainerImage": "drmp/trainer:0.1.0" }', '{ "kind": "process" }');
  const agentConfig = withoutEngine(pages.json(CONTRIBUTOR, 0)).replace(
    '"dataDir"',
    `"service": { "port": ${String(ports.agent)} },\n  "dataDir"`,
  );
  await write("agent.json", agentConfig);
  assert.match(await run(CONTRIBUTOR, "node agent/main.ts check"), /ready to run/);
  const agent = start(CONTRIBUTOR, "node agent/main.ts run");
  await until("the agent is healthy", () => answers(`http://127.0.0.1:${String(ports.agent)}/health`), agent.shown);
  assert.match(await run(CONTRIBUTOR, "npx hardhat node:status"), /idle +yes: no task is waiting/);
  await run(CONTRIBUTOR, "npx hardhat energy:report");

  const services = `"service": { "port": ${String(ports.keeper)} },
  "reports": { "listen": ["/ip4/127.0.0.1/tcp/${String(ports.reports)}"] }`;
  // The keeper; agent and keeper of one machine need different ports, as the guide for contributors says.
  // Hardhat's node asks for a tip of 1 gwei, a thousand times BASE's: both bounds are for BASE.
  const keeper = pages
    .json(KEEPER, 0)
    .replace('"lowFunds"', `${services},\n  "lowFunds"`)
    .replace('"maxFeePerGas": "0.5"', '"maxFeePerGas": "500"')
    .replace('"perHour": "0.002"', '"perHour": "2"');
  await write("keeper.json", keeper);
  assert.match(await run(KEEPER, "npx hardhat keeper:check"), /ready to run/);
  assert.match(await run(KEEPER, "npx hardhat keeper:plan"), /no task is waiting/);
  assert.match(await run(KEEPER, "node keepers/main.ts check"), /ready to run/);
  assert.match(await run(KEEPER, "node keepers/main.ts plan"), /no task is waiting/);
  const keepers = start(KEEPER, "npx hardhat keeper:run");
  await until(
    "the keepers are healthy",
    () => answers(`http://127.0.0.1:${String(ports.keeper)}/health`),
    keepers.shown,
  );

  // The developer has something trained.
  await write("spec.json", pages.json(DEVELOPER, 0));
  await mkdir(join(folder, "data"));
  await write("data/words.txt", "some words to train on");
  assert.match(await run(DEVELOPER, "npx hardhat data:add"), /bafy\w+/);
  assert.match(await run(DEVELOPER, "npx drmp task verify"), /^Reproducible: 10 states/m);
  assert.match(await run(DEVELOPER, "npx hardhat task:quote"), /leased now +3 of 3 units/);
  const submit = start(DEVELOPER, "npx hardhat task:submit");
  await until("the task is submitted", () => /Task 1 is submitted/.test(submit.shown()), submit.shown);
  assert.match(await run(DEVELOPER, "npx hardhat task:status"), /maximum price +0\.02 VER/);
  const watch = start(DEVELOPER, "npx hardhat task:watch");
  const delivered = async () => {
    const leases = await session.reader.leases(await session.reader.block());
    return leases.some(({ status }) => status === "delivered");
  };
  await until("results are delivered", delivered, () => submit.shown() + agent.shown());
  // What was done before its first checkpoint has no logs, as the guide says.
  const logs = start(DEVELOPER, "npx hardhat task:logs");
  if ((await logs.exit) !== 0) assert.match(logs.shown(), /no checkpoint.*no logs/);
  assert.match(await run(DEVELOPER, "npx hardhat task:result"), /bytes, verified/);
  await until(
    "the task ends",
    async () => (await session.reader.task(await session.reader.block(), 1))?.status === "ended",
    submit.shown,
  );
  assert.equal(await submit.exit, 0, submit.shown());
  assert.equal(await watch.exit, 0, watch.shown());
  assert.match(watch.shown(), /has ended/);
  await run(DEVELOPER, "npx hardhat energy:report");
  await run(DEVELOPER, "npx hardhat node:claim");

  // The same in one program.
  await write("developer.json", pages.json(DEVELOPER, 1));
  await write("terms.json", pages.json(DEVELOPER, 2));
  assert.match(await run(DEVELOPER, "node developer/main.ts check"), /ready to run/);
  const train = await run(DEVELOPER, "node developer/main.ts train");
  assert.match(train, /task ended/);
  numbers.task = 2;
  assert.match(await run(DEVELOPER, "node developer/main.ts follow"), /task ended/);

  // Earnings, changes, and the way out.
  assert.match(await run(CONTRIBUTOR, "npx hardhat node:claim"), /VER sent to/);
  await run(CONTRIBUTOR, "npx hardhat node:update");
  await run(CONTRIBUTOR, "npx hardhat node:drain");
  await run(CONTRIBUTOR, "npx hardhat node:resume");
  agent.interrupt();
  assert.equal(await agent.exit, 0, agent.shown());
  // With the owner's key at hand, as an agent that claims by itself has it.
  const owner = '"owner": { "keystore": "/home/me/keys/owner.json", "passphraseFile": "/home/me/keys/owner.pass" }';
  await write("agent.json", agentConfig.replace('"dataDir"', `${owner},\n  "dataDir"`));
  assert.match(await run(CONTRIBUTOR, "node agent/main.ts check"), /ready to run/);
  assert.match(await run(CONTRIBUTOR, "node agent/main.ts claim"), /VER claimed/);

  // A task that nobody serves any longer is cancelled.
  await run(DEVELOPER, "npx hardhat task:submit", (text) => `${text} --submission second --detach`);
  numbers.task = 3;
  assert.match(await run(DEVELOPER, "npx hardhat task:cancel"), /3 units are refunded/);
  assert.match(await run(DEVELOPER, "npx hardhat task:settle-fees"), /No release fees of task 3 are held/);
  await run(CONTRIBUTOR, "npx hardhat node:exit");
  await session.provider.send("evm_increaseTime", [86_400]);
  await session.provider.send("evm_mine", []);
  await run(CONTRIBUTOR, "npx hardhat node:withdraw");
  keepers.interrupt();
  await keepers.exit;
  session.close();

  assert.deepEqual(pages.left(), [], "commands that are neither run nor listed with the reason why not");
});

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}
