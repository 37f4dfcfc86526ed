import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { blocksOf, commandsOf, inlineCommandsOf } from "../docs/extract.ts";
import { ROOT } from "../docs/known.ts";

const GUIDE = "docs/guides/deployer.md";

/** Each command of the guide as it begins, the test that runs it, and how it is written there. */
const RUN: readonly (readonly [command: string, file: string, written: RegExp])[] = [
  ["npx hardhat network:deploy --network baseSepolia", "test/chain/deploy-task.test.ts", /"network:deploy",/],
  ["npx hardhat network:verify", "test/chain/deploy-task.test.ts", /"network:verify", \.\.\.at/],
  ["npx hardhat network:check --network baseSepolia", "scripts/rehearse.ts", /"network:check", \[/],
  ["npx hardhat ignition wipe chain-84532", "test/e2e/deployment.test.ts", /"ignition", "wipe"/],
  ["npm run node", "packages/devnet/chain.ts", /HARDHAT, "node"|"node", "--hostname"/],
  ["npx hardhat network:deploy --network localhost", "test/e2e/docs.test.ts", /network:deploy --network baseSepolia"/],
  ["node packages/devnet/vrf-fulfiller.ts", "test/e2e/docs.test.ts", /"packages\/devnet\/vrf-fulfiller\.ts", "--rpc"/],
  [
    "npx hardhat ignition deploy ignition/modules/Local.ts",
    "packages/devnet/chain.ts",
    /"ignition\/modules\/Local\.ts"/,
  ],
];

/** Commands that no test can run, and why. */
const NOT_RUN = [
  ["npx hardhat keystore set", "asks at a terminal for a password and the key: Hardhat's own; tests name a keystore"],
] as const;

test("every command line of the guide for deployers is run by a test, or is listed with the reason why not", () => {
  const text = readFileSync(join(ROOT, GUIDE), "utf8");
  const commands = [...blocksOf(GUIDE, text).flatMap(commandsOf), ...inlineCommandsOf(GUIDE, text)];
  assert.ok(commands.length >= 10, String(commands.length));
  const known = [...RUN.map(([command]) => command), ...NOT_RUN.map(([command]) => command)];
  const left = commands.filter((command) => !known.some((beginning) => command.text.startsWith(beginning)));
  assert.deepEqual(left, []);
  for (const beginning of known) {
    assert.ok(
      commands.some((command) => command.text.startsWith(beginning)),
      `the guide no longer has "${beginning}"`,
    );
  }
  for (const [command, file, written] of RUN)
    assert.match(readFileSync(join(ROOT, file), "utf8"), written, `${command} in ${file}`);
});
