import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect } from "chai";
import { ContractFactory, toQuantity } from "ethers";
import hre from "hardhat";

import { openProvider, type RpcProvider } from "@verai/client/provider";
import { deploymentFile, HARDHAT } from "@verai/devnet/chain";
import { fillParameters } from "@verai/devnet/parameters-file";
import { newWallet, type KeystoreWallet } from "@verai/devnet/wallets";
import { runProgram } from "@verai/devnet/programs";
import { openExplorer } from "../support/explorer.ts";

const CHAIN_ID = 84532;
const ID = "test-deploy-task";
const ETH = 10n ** 18n;

interface Outcome {
  readonly code: number | NodeJS.Signals;
  readonly said: string;
  /** What was printed as JSON. */
  readonly json: Record<string, unknown>;
}

describe("network:deploy and network:verify", () => {
  let folder: string;
  let provider: RpcProvider;
  let server: Awaited<ReturnType<typeof hre.network.createServer>>;
  let url: string;
  let parameters: string;
  let deployer: KeystoreWallet;
  let coordinator: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "drmp-deploy-"));
    await rm(dirname(deploymentFile(ID)), { recursive: true, force: true });
    server = await hre.network.createServer({ network: "default", override: { chainId: CHAIN_ID } }, "127.0.0.1");
    url = `http://127.0.0.1:${String((await server.listen()).port)}`;
    provider = await openProvider(url, { chainId: CHAIN_ID });
    deployer = await newWallet(folder, "deployer");
    const person = async (name: string) => (await newWallet(folder, name)).address;
    parameters = join(folder, "baseSepolia.json");
    ({ vrfCoordinator: coordinator } = await fillParameters(parameters, {
      governance: await person("governance"),
      guardian: await person("guardian"),
      arbiter: await person("arbiter"),
      treasury: await person("treasury"),
    }));
  });

  after(async () => {
    provider.destroy();
    await server.close();
    await rm(folder, { recursive: true, force: true });
    await rm(dirname(deploymentFile(ID)), { recursive: true, force: true });
  });

  async function run(id: string, ...options: string[]): Promise<Outcome> {
    const where = ["--network", "baseSepolia", "--deployment-id", ID, "--json"];
    const { code, said } = await runProgram([HARDHAT, id, ...where, ...options], { BASE_SEPOLIA_RPC_URL: url });
    const line = said.split("\n").filter((one) => one.startsWith("{"));
    return { code, said, json: JSON.parse(line.at(-1) ?? "{}") as Record<string, unknown> };
  }

  const deploy = (...options: string[]) =>
    run(
      "network:deploy",
      ...["--parameters", parameters, "--keystore", deployer.keystore, "--passphrase-file", deployer.passphraseFile],
      ...options,
    );

  it("refuses what is missing in the parameters, by name", async () => {
    const json = JSON.parse(await readFile(parameters, "utf8")) as { Drmp: Record<string, unknown> };
    const { guardian: _guardian, FeeBps, ...rest } = json.Drmp;
    const file = join(folder, "other.json");
    await writeFile(file, JSON.stringify({ Drmp: { ...rest, arbiter: "REPLACE_ME_AT_ONCE", FeeBips: FeeBps } }));
    const { code, said, json: answer } = await run("network:deploy", "--parameters", file, "--yes");
    expect(code).to.equal(1);
    for (const sentence of [
      "guardian is missing",
      "FeeBps is missing",
      "arbiter still has its place-holder REPLACE_ME_AT_ONCE",
      "FeeBips is none of this network's parameters",
    ]) {
      expect(said).to.include(sentence);
    }
    expect(answer["error"]).to.include({ code: "PARAMETERS_MISSING" });
  });

  it("refuses a network that has no coordinator where the file says, and a deployer without ETH", async () => {
    const nowhere = await deploy("--yes");
    expect(nowhere.json["error"], nowhere.said).to.include({ code: "COORDINATOR_MISSING" });
    await placeCoordinator();
    const poor = await deploy("--yes");
    expect(poor.code).to.equal(1);
    expect(poor.json["error"], poor.said).to.include({ code: "INSUFFICIENT_FUNDS" });
  });

  it("a dry run shows costs and checks without a key, and sends nothing", async () => {
    const before = await provider.getBlockNumber();
    const { code, said, json } = await run("network:deploy", "--parameters", parameters, "--dry-run");
    expect(code, said).to.equal(0);
    expect(json).to.include({ dryRun: true, wrong: 0 });
    expect(BigInt((json["costs"] as { gas: string }).gas)).to.be.greaterThan(30_000_000n);
    expect(json["findings"]).to.have.length.greaterThan(10);
    expect(await provider.getBlockNumber()).to.equal(before);
  });

  it("deploys for what it said it would, is as it should be, and does nothing when run again", async () => {
    await provider.send("hardhat_setBalance", [deployer.address, toQuantity(10n * ETH)]);
    const { code, said, json } = await deploy("--yes");
    expect(code, said).to.equal(0);
    expect(json).to.include({ wrong: 0, transactionsLeft: (json["transactions"] as string[]).length });
    const spent = BigInt(json["spent"] as string);
    const { gas, value } = json["costs"] as { gas: string; value: string };
    let used = 0n;
    for (const hash of json["transactions"] as string[])
      used += (await provider.getTransactionReceipt(hash))?.gasUsed ?? 0n;
    // Calldata and storage differ a little from the trial's: other addresses have other zero bytes.
    expect(Number(used) / Number(gas)).to.be.within(0.99, 1.01);
    expect(spent > BigInt(value)).to.equal(true);
    const nonce = await provider.getTransactionCount(deployer.address);
    const again = await deploy("--yes");
    expect(again.code, again.said).to.equal(0);
    expect(again.json).to.include({ transactionsLeft: 0, wrong: 0 });
    expect(await provider.getTransactionCount(deployer.address)).to.equal(nonce);
  });

  it("publishes sources that an explorer compiles to what the chain has", async () => {
    const explorer = await openExplorer(provider, CHAIN_ID);
    const at = ["--explorer", "sourcify", "--explorer-url", explorer.url];
    try {
      for (const name of ["Vault", "VrfSeeds"]) {
        const { code, said, json } = await run("network:verify", ...at, "--contract", name);
        expect(code, said).to.equal(0);
        const [one] = json["contracts"] as { contract: string; address: string; ok: boolean }[];
        expect(one).to.include({ ok: true });
        expect(explorer.verified.has(one?.address ?? "")).to.equal(true);
      }
      // What the chain has is no longer what the sources say.
      const [faucet] = (await run("network:verify", ...at, "--contract", "TestnetFaucet", "--dry-run")).json[
        "contracts"
      ] as { address: string }[];
      const code = await provider.getCode(faucet?.address ?? "");
      await provider.send("hardhat_setCode", [faucet?.address, code.replace("6080", "6081")]);
      const other = await run("network:verify", ...at, "--contract", "TestnetFaucet");
      expect(other.code, other.said).to.equal(1);
      expect(other.json).to.include({ failed: 1 });
    } finally {
      await explorer.close();
    }
  });

  it("says what is missing: an API key, an explorer, a contract, a deployment", async () => {
    for (const [options, sentence] of [
      [["--explorer", "etherscan"], /npx hardhat keystore set ETHERSCAN_API_KEY/],
      [["--explorer", "google"], /no explorer "google"; use one of: etherscan, blockscout, sourcify/],
      [["--contract", "Wault"], /no contract "Wault"; it has: .*Vault/],
      [["--explorer", "sourcify", "--explorer-url", "http://127.0.0.1:9", "--contract", "Vault"], /127\.0\.0\.1:9/],
    ] as const) {
      const { code, said } = await run("network:verify", ...options);
      expect(code, said).to.equal(1);
      expect(said).to.match(sentence);
    }
    const where = ["--network", "baseSepolia", "--deployment-id", "no-such-deployment"];
    const { said } = await runProgram([HARDHAT, "network:verify", ...where], { BASE_SEPOLIA_RPC_URL: url });
    expect(said).to.match(/no deployment "no-such-deployment"/);
  });

  /** Chainlink's mock where BASE Sepolia has the real coordinator. */
  async function placeCoordinator(): Promise<void> {
    const { abi, bytecode } = await hre.artifacts.readArtifact("VRFCoordinatorV2_5Mock");
    const payer = await provider.getSigner(0);
    const mock = await new ContractFactory(abi, bytecode, payer).deploy(1n, 1n, 1n);
    await mock.waitForDeployment();
    await provider.send("hardhat_setCode", [coordinator, await provider.getCode(await mock.getAddress())]);
  }
}).timeout(1_200_000);
