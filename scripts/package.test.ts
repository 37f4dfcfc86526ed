import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT } from "@verai/devnet/processes";
import { deployments } from "./package/deployments.ts";
import { moduleOf, typesOf } from "./package/sources.ts";

const USER = `import { addresses, addressOf, nodeRegistryAbi, type DrmpContract } from "@verai/drmp-contracts";
import { Interface } from "ethers";
const names: readonly string[] = nodeRegistryAbi.filter((one) => one.type === "function").map((one) => one.name);
const contract: DrmpContract = "NodeRegistry";
// @ts-expect-error there is no such contract
const wrong: DrmpContract = "Nobody";
const known: Readonly<Record<number, object>> = addresses;
const call = new Interface(nodeRegistryAbi).encodeFunctionData("drain", [7]);
let refusal = "";
try { addressOf(1, contract); } catch (error) { refusal = (error as Error).message; }
export const said: string = JSON.stringify({ names, call, refusal, known, wrong });
`;

const PRINT = 'import("./user.ts").then(({ said }) => process.stdout.write(said))';

test("somebody else's program imports the ABIs, typed, and encodes a call", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-package-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  execFileSync(process.execPath, ["scripts/package.ts"], { cwd: ROOT, stdio: "pipe" });
  execFileSync("mkdir", ["-p", join(folder, "node_modules", "@verai")]);
  await symlink(join(ROOT, ".data", "package"), join(folder, "node_modules", "@verai", "drmp-contracts"));
  await symlink(join(ROOT, "node_modules", "ethers"), join(folder, "node_modules", "ethers"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "user.ts"), USER);
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--strict", "--noEmit", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
  execFileSync(process.execPath, [compiler, ...flags, "user.ts"], { cwd: folder, stdio: "pipe" });
  const said = JSON.parse(execFileSync(process.execPath, ["--eval", PRINT], { cwd: folder, encoding: "utf8" })) as {
    names: string[];
    call: string;
    refusal: string;
  };
  assert.ok(said.names.includes("registerWithPermit"));
  // drain(uint32) and its argument.
  assert.equal(said.call.length, 2 + 8 + 64);
  assert.match(said.refusal, /NodeRegistry is not deployed on chain 1/);
});

test("addresses of public chains are part of it, those of local ones are not", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "drmp-deployments-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  assert.deepEqual(await deployments(join(folder, "missing")), {});
  const source = moduleOf({ Vault: [] }, { 84532: { Vault: "0xabc" } });
  assert.match(source, /export const vaultAbi = \[\];/);
  assert.match(source, /"84532":\{"Vault":"0xabc"\}/);
  assert.match(typesOf({ Vault: [{ type: "function", name: "a" }] }, {}), /readonly "name": "a"/);
});
