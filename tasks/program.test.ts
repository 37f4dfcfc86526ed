import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import hre from "hardhat";

import { flagOf } from "./command.ts";
import { commands } from "./index.ts";
import { inWords, program } from "./program.ts";
import { plainEnvironment } from "./session/environment.ts";

const DRMP = join(import.meta.dirname, "drmp.ts");

function drmp(...args: readonly string[]) {
  const env = { ...process.env, NO_COLOR: "1", BASE_SEPOLIA_RPC_URL: "", DRMP_LOCALHOST_URL: "http://127.0.0.1:9" };
  return spawnSync(process.execPath, [DRMP, ...args], { encoding: "utf8", env });
}

test("both doors offer every command with the same options", () => {
  const root = program();
  for (const { id, options } of commands) {
    const names = options.map(({ name }) => name);
    const atHardhat = hre.tasks.getTask(id.split(" "));
    assert.deepEqual([...atHardhat.options.keys()].sort(), [...names].sort(), id);
    const [subject = "", verb = ""] = id.split(":");
    const atDrmp = root.commands
      .find((one) => one.name() === subject)
      ?.commands.find((one) => one.name() === verb)
      ?.options.map(({ long }) => long);
    assert.deepEqual(atDrmp, ["--network", ...names.map(flagOf)], id);
  }
});

test("help names every subject, and each command an example that can be pasted", () => {
  const { stdout, status } = drmp("--help");
  assert.equal(status, 0);
  for (const { id } of commands) assert.match(stdout, new RegExp(`^  ${id.split(":")[0] ?? ""} `, "m"));
  assert.match(drmp("task", "status", "--help").stdout, /npx drmp task status --task 1/);
});

test("a command is taken in Hardhat's spelling, and a glance needs no subject", () => {
  assert.deepEqual(inWords(["task:status", "--task", "7"]), ["task", "status", "--task", "7"]);
  assert.deepEqual(inWords(["task", "status", "task:status"]), ["task", "status", "task:status"]);
  assert.deepEqual(inWords([]), []);
  assert.match(drmp("task:status", "--help").stdout, /Usage: drmp task status/);
  assert.match(drmp("status", "--help").stdout, /at a glance/);
});

test("examples can be pasted: they name nothing to be replaced, and only options that exist", () => {
  for (const { id, example, options } of commands) {
    assert.doesNotMatch(example, /[<>…]/, id);
    const given = example.split(" ").filter((word) => word.startsWith("--"));
    const known = ["--network", ...options.map(({ name }) => flagOf(name))];
    assert.deepEqual(
      given.filter((flag) => !known.includes(flag)),
      [],
      id,
    );
  }
});

test("who signs by itself goes by the command", () => {
  const signer = (id: string) =>
    commands.find((one) => one.id === id)?.options.find(({ name }) => name === "account")?.defaultValue;
  assert.deepEqual(["node:register", "task:submit", "round:open", "network:deploy"].map(signer), [
    "contributor",
    "developer",
    "developer",
    "0",
  ]);
});

test("bad usage ends with 64 and says what is wrong", () => {
  for (const [args, says] of [
    [["task", "subnit"], /unknown command 'subnit'/],
    [["task", "status", "--task", "seven"], /whole number/],
    [["task", "status", "--tusk", "7"], /unknown option '--tusk'/],
    [["task", "status", "--network", "goerli"], /localhost, baseSepolia, base/],
  ] as const) {
    const { status, stderr } = drmp(...args);
    assert.equal(status, 64, args.join(" "));
    assert.match(stderr, says);
  }
});

test("an endpoint that is missing or silent is named, with the remedy", () => {
  const missing = drmp("task", "status", "--network", "baseSepolia", "--json");
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /BASE_SEPOLIA_RPC_URL is not set/);
  assert.deepEqual(Object.keys(JSON.parse(missing.stdout) as object), ["error"]);
  const silent = drmp("status");
  assert.equal(silent.status, 75);
  assert.match(silent.stderr, /`scripts\/drmp devnet` starts one[\s\S]*127\.0\.0\.1:9 gave no answer/);
});

test("endpoints and keys are looked up only when they are needed", async () => {
  const { config } = plainEnvironment("/", "base", { BASE_RPC_URL: "https://rpc.example" });
  const base = config.networks["base"];
  assert.ok(base?.type === "http" && Array.isArray(base.accounts));
  assert.equal(await base.url.getUrl(), "https://rpc.example");
  const [key] = base.accounts as readonly { getHexString: () => Promise<string> }[];
  await assert.rejects(async () => key?.getHexString(), /DEPLOYER_KEY is not set/);
});

test("it starts without Hardhat", () => {
  const loaded = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "--eval",
      `import { registerHooks } from "node:module";
registerHooks({ resolve(specifier, context, next) { if (/^hardhat/.test(specifier)) throw new Error(specifier); return next(specifier, context); } });
const { program } = await import(${JSON.stringify(fileURLToPath(new URL("program.ts", import.meta.url)))});
program();
await import(${JSON.stringify(fileURLToPath(new URL("task/status.ts", import.meta.url)))});`,
    ],
    { encoding: "utf8" },
  );
  assert.equal(loaded.status, 0, loaded.stderr);
});
