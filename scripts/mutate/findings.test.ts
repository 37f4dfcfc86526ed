import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { ENDLESS, Findings } from "./findings.ts";

test("what is known of a mutant holds as long as the test files that it was learnt from", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "findings-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const hashes = (changed: string) => new Map(["a", "b"].map((file) => [file, file === changed ? "new" : "old"]));
  const first = new Findings(folder, hashes(""));
  first.noteUsual("a", { passed: ["a: one"], reached: [1], seconds: 2 });
  first.noteLived("dies", ["a"], 24);
  first.noteKilled("dies", "b: two");
  first.noteKilled("hangs", ENDLESS);
  first.noteLived("lives", ["a", "b"], 24);

  const again = new Findings(folder, hashes(""));
  assert.equal(again.usualOf("a")?.seconds, 2);
  assert.equal(again.usualOf("b"), undefined);
  assert.deepEqual(
    [again.killerOf("dies"), again.killerOf("hangs"), again.killerOf("lives")],
    ["b: two", ENDLESS, undefined],
  );
  assert.deepEqual([again.hasLived("lives", "b", 24), again.hasLived("lives", "b", 256)], [true, false]);

  const changed = new Findings(folder, hashes("b"));
  assert.equal(changed.killerOf("dies"), undefined, "the test that found it is another one now");
  assert.equal(changed.killerOf("hangs"), ENDLESS);
  assert.deepEqual([changed.hasLived("lives", "a", 24), changed.hasLived("lives", "b", 24)], [true, false]);
  assert.equal(new Findings(folder, hashes("a")).usualOf("a"), undefined);
});
