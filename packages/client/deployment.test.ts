import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { JsonRpcProvider, type Provider } from "ethers";

import { LOCAL_CHAIN_ID } from "./chains.ts";
import { checkDeployment, connect, parseDeployment } from "./deployment.ts";
import { deploymentFile, readDeployment } from "./deployment-file.ts";

const NEEDED = [
  "VerToken",
  "Vault",
  "Parameters",
  "NodeRegistry",
  "TaskRegistry",
  "LeaseRegistry",
  "CheckpointRegistry",
  "VrfSeeds",
  "RoundManager",
  "Telemetry",
  "EnergyLedger",
  "Balancer",
  "Supply",
  "HolderPool",
  "PoolOutlet",
  "ReleaseFees",
  "Lens",
  "AuditEpochs",
  "Audits",
  "Reassignment",
];

function address(i: number): string {
  return `0x${String(i + 1).padStart(40, "0")}`;
}

function file(prefix: string, names = NEEDED): string {
  return JSON.stringify(Object.fromEntries(names.map((name, i) => [prefix + name, address(i)])));
}

test("Ignition's addresses are read whatever the module is called", () => {
  const { addresses } = parseDeployment(LOCAL_CHAIN_ID, "x.json", file("Drmp#"));
  assert.equal(addresses.NodeRegistry, address(3));
  assert.deepEqual(parseDeployment(LOCAL_CHAIN_ID, "x.json", file("Other#")).addresses, addresses);
  assert.deepEqual(parseDeployment(LOCAL_CHAIN_ID, "x.json", file("")).addresses, addresses);
});

test("addresses are checksummed and foreign contracts skipped", () => {
  const json = JSON.parse(file("Drmp#")) as Record<string, string>;
  json["Drmp#VerToken"] = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
  json["Drmp#SomethingElse"] = "no address at all";
  const { addresses } = parseDeployment(LOCAL_CHAIN_ID, "x.json", JSON.stringify(json));
  assert.equal(addresses.VerToken, "0x5FbDB2315678afecb367f032d93F642f64180aa3");
  assert.equal(Object.keys(addresses).length, NEEDED.length);
});

test("an unusable file is refused by name, with the remedy", () => {
  const refused = (text: string, message: RegExp, code = "DEPLOYMENT_INVALID") => {
    assert.throws(
      () => parseDeployment(84532, "some.json", text),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, /some\.json/);
        assert.match(error.message, /npx hardhat network:deploy --network baseSepolia/);
        assert.match(error.message, message);
        return true;
      },
    );
  };
  refused("{", /not valid JSON/);
  refused("[]", /no object/);
  refused('{"Drmp#Vault": "0x12"}', /Drmp#Vault is no address/);
  refused(`{"A#Vault": "${address(1)}", "B#Vault": "${address(2)}"}`, /two addresses of Vault/);
  refused(file("Drmp#", NEEDED.slice(0, -1)), /lacks Reassignment; complete it with/, "DEPLOYMENT_INCOMPLETE");
});

test("a missing deployment is named, with the remedy", async () => {
  await assert.rejects(readDeployment(LOCAL_CHAIN_ID, "/nowhere/deployed_addresses.json"), {
    code: "DEPLOYMENT_MISSING",
    message:
      /\/nowhere\/deployed_addresses\.json cannot be read\. Deploy with `npx hardhat network:deploy --network localhost`/,
  });
  assert.match(deploymentFile(8453), /ignition\/deployments\/chain-8453\/deployed_addresses\.json$/);
});

test("contracts are connected at their addresses, optional ones only if there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-deployment-"));
  try {
    const path = join(folder, "addresses.json");
    await writeFile(path, file("Drmp#", [...NEEDED, "TestnetFaucet"]));
    const provider = new JsonRpcProvider("http://127.0.0.1:1", LOCAL_CHAIN_ID, { staticNetwork: true });
    const contracts = connect(await readDeployment(LOCAL_CHAIN_ID, path), provider);
    assert.equal(await contracts.rounds.getAddress(), address(8));
    assert.equal(await contracts.faucet?.getAddress(), address(NEEDED.length));
    assert.equal(contracts.coordinator, undefined);
    assert.equal(
      contracts.rounds.interface.encodeFunctionData("open"),
      contracts.rounds.interface.getFunction("open").selector,
    );
    provider.destroy();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a deployment that its chain has lost is recognised", async () => {
  const deployment = parseDeployment(LOCAL_CHAIN_ID, "x.json", file("Drmp#"));
  const provider = (code: string) => ({ getCode: async () => code }) as unknown as Provider;
  await checkDeployment(deployment, provider("0x60"));
  await assert.rejects(checkDeployment(deployment, provider("0x")), {
    code: "DEPLOYMENT_GONE",
    message: /no contract at 0x0+1, where x\.json says that VerToken is.*--reset/,
  });
});

test("all contracts are asked for at the same time", async () => {
  const deployment = parseDeployment(LOCAL_CHAIN_ID, "x.json", file("Drmp#"));
  const all = Promise.withResolvers<undefined>();
  let asked = 0;
  const patient = {
    getCode: async () => {
      if (++asked === NEEDED.length) all.resolve(undefined);
      await all.promise;
      return "0x60";
    },
  } as unknown as Provider;
  await checkDeployment(deployment, patient);
  assert.equal(asked, NEEDED.length);
});
