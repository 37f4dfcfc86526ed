import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import hre from "hardhat";

import { blocksOf, commandsOf, type DocCommand, inlineCommandsOf, wordsOf } from "../docs/extract.ts";
import { ROOT, unknownIn } from "../docs/known.ts";

const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

test("README stays a front page", () => {
  const lines = readFileSync(join(ROOT, "README.md"), "utf8").split("\n").length - 1;
  assert.ok(lines <= 100, `README.md has ${String(lines)} lines, at most 100: move what is too much into docs/`);
});

const SAMPLE = `
Run it:

\`\`\`sh
mkdir -p ~/keys && npx hardhat node:register --network base \\
  --name "a # b"    # a comment
\`\`\`

Then \`npm run demo\`, or \`node
agent/main.ts check\`. A formula:

    x = y + 1

    kubectl apply --filename x.yaml \\
      --wait
`;

test("commands are taken out of blocks and sentences, joined, and without their comments", () => {
  assert.deepEqual(
    blocksOf("a.md", SAMPLE)
      .flatMap(commandsOf)
      .map(({ line, text }) => [line, text]),
    [
      [5, "mkdir -p ~/keys"],
      [5, 'npx hardhat node:register --network base --name "a # b"'],
    ],
  );
  assert.deepEqual(
    inlineCommandsOf("a.md", SAMPLE).map(({ text }) => text),
    ["npm run demo", "node agent/main.ts check"],
  );
  assert.deepEqual(wordsOf(`a "b c" 'd' e`), ["a", "b c", "d", "e"]);
  // Only a block without a language whose first line begins with a program holds commands.
  const indented = blocksOf("a.md", "x\n\n    kubectl apply \\\n      --wait\n").flatMap(commandsOf);
  assert.deepEqual(
    indented.map(({ text }) => text),
    ["kubectl apply --wait"],
  );
});

const of = (text: string): DocCommand => ({ file: "x.md", line: 1, text, block: true });

test("an unknown program, task, option, script or file is found", () => {
  for (const [text, unknown] of [
    ["npx hardhat task:subnit --network base", "task task:subnit"],
    ["npx hardhat task:cancel --tasks 3", "option --tasks of task:cancel"],
    ["npm run demos", "npm script demos"],
    ["scripts/drmp task:subnit", "task task:subnit"],
    ["scripts/drmp devnet --port 1", "option --port of scripts/devnet.ts"],
    ["npx drmp status --jason", "option --jason of network:status"],
    ["npx drmp run python/examples/diloco.py --exchanges 1", "option --exchanges of task:run"],
    ["npx drmp run python/examples/dilocco.py", "file python/examples/dilocco.py"],
    ["npm run demo -- --keeep", "option --keeep of scripts/demo.ts"],
    ["node agent/main.ts chekc --config a.json", "command chekc"],
    ["node agent/main.ts check --configuration a.json", "option --configuration of agent/main.ts"],
    ["node agents/main.ts check", "file agents/main.ts"],
    ["kubectl apply --filename deploy/kubernetes/none.yaml", "file deploy/kubernetes/none.yaml"],
    ["forge build", "program forge"],
  ] as const) {
    assert.ok(unknownIn(of(text), hre).includes(unknown), `${text}: ${unknownIn(of(text), hre).join(", ")}`);
  }
});

test("every command in README and docs exists, with every option and file that it names", () => {
  const commands = PAGES.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    return [...blocksOf(file, text).flatMap(commandsOf), ...inlineCommandsOf(file, text)];
  });
  assert.ok(commands.length > 80, `${String(commands.length)} commands`);
  const wrong = commands.flatMap((command) =>
    unknownIn(command, hre).map((what) => `${command.file}:${String(command.line)}: ${what}: ${command.text}`),
  );
  assert.deepEqual(wrong, []);
});

test("no test passes a task an option that the reader is not told about", () => {
  const told = PAGES.map((file) => readFileSync(join(ROOT, file), "utf8")).join("\n");
  const own = [...hre.tasks.rootTasks.values()].filter(({ id }) => /^[a-z]+:[a-z-]+$/.test(id.join(" ")));
  assert.ok(own.length >= 30, `${String(own.length)} tasks`);
  const options = new Set(
    [...own.flatMap(({ options: of }) => [...of.keys()]), "buildProfile", "noCompile", "force"].map(
      (name) => `--${name.replaceAll(/[A-Z]/g, (one) => `-${one.toLowerCase()}`)}`,
    ),
  );
  const files = globSync(["test/{chain,e2e,support}/**/*.ts", "scripts/**/*.ts", ".ci/run"], { cwd: ROOT });
  const passed = files
    .filter((file) => !file.startsWith("scripts/faults"))
    .flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(/["'` ](--[a-z][a-z-]+)/g)].map(([, flag]) => ({
        file,
        flag: flag ?? "",
      })),
    );
  const secret = passed.filter(({ flag }) => options.has(flag) && !new RegExp(`${flag}(?![a-z-])`).test(told));
  assert.deepEqual(secret, []);
});
