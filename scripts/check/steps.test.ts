import assert from "node:assert/strict";
import { test } from "node:test";

import { filesBy, isPure } from "./files.ts";
import { ALL, FAST } from "./steps.ts";

test("every test file of the repository is in exactly one step", () => {
  const named = ALL.flatMap(({ command }) => command.filter((part) => part.endsWith(".test.ts")));
  // A whole npm script, which names a folder; and what runs apart, on each change but not here, or every night.
  const folders = ["cluster", "containers/python", "manifests", "package", "release", "slow", "web"].flatMap((folder) =>
    filesBy(`test/${folder}/**/*.test.ts`),
  );
  assert.deepEqual([...named, ...folders].sort(), filesBy("**/*.test.ts"));
});

test("steps have names of their own, need steps that exist, and the fast ones are among all", () => {
  const names = ALL.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  for (const { needs } of ALL) assert.ok(needs === undefined || names.includes(needs), needs);
  for (const step of FAST) assert.ok(ALL.includes(step), step.name);
});

test("a test that shares its process's state has a process of its own", () => {
  const head = 'import assert from "node:assert/strict";\n';
  for (const text of [
    'import { test } from "node:test";\nimport { fill } from "./fill.ts";',
    'import { mkdtemp } from "node:fs/promises";\nimport { tmpdir } from "node:os";\nimport { test } from "node:test";',
  ]) {
    assert.ok(isPure(head + text), text);
  }
  for (const text of [
    'import { before, test } from "node:test";',
    'import { execFile } from "node:child_process";\nimport { test } from "node:test";',
    'import { createServer } from "node:net";\nimport { test } from "node:test";',
    'import { test } from "node:test";\nprocess.exitCode = 1;',
    'import { test } from "node:test";\nimport { CheckpointStore } from "./store.ts";',
  ]) {
    assert.ok(!isPure(head + text), text);
  }
});
