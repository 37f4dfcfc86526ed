import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

import { previousVersion } from "./previous.ts";

const folder = mkdtempSync(join(tmpdir(), "drmp-previous-"));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A repository whose commits have these files, the first commit first; and the commits. */
function repository(name: string, commits: readonly Readonly<Record<string, string>>[]) {
  const root = join(folder, name);
  mkdirSync(root);
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  git("init", "--quiet");
  git("config", "user.name", "test");
  git("config", "user.email", "test@example.org");
  const hashes = commits.map((files) => {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    git("add", ".");
    git("commit", "--quiet", "--no-gpg-sign", "--message", "change");
    return git("rev-parse", "HEAD");
  });
  return { root, hashes };
}

const contracts = (text: string) => ({ "contracts/A.sol": text, "packages/client/generated/a.ts": text });
const agent = (text: string) => ({ "agent/main.ts": text });

test("the version before is the oldest with today's contracts, whatever older ones lack", async () => {
  const { root, hashes } = repository("changed", [
    { "README.md": "before there was any of it" },
    { ...contracts("1"), ...agent("1") },
    contracts("2"),
    agent("2"),
    agent("3"),
  ]);
  assert.deepEqual(await previousVersion(root), { commit: hashes[2] });
});

test("there is none where agents are the same, in a clone without history, and outside a repository", async () => {
  const { root } = repository("same", [{ ...contracts("1"), ...agent("1") }, contracts("2")]);
  assert.match(JSON.stringify(await previousVersion(root)), /nothing of agents has changed since/);

  const { root: whole } = repository("whole", [{ ...contracts("1"), ...agent("1") }, agent("2")]);
  const shallow = join(folder, "shallow");
  execFileSync("git", ["clone", "--quiet", "--depth", "1", `file://${whole}`, shallow]);
  assert.match(JSON.stringify(await previousVersion(shallow)), /too little history/);

  const bare = join(folder, "bare");
  mkdirSync(bare);
  assert.match(JSON.stringify(await previousVersion(bare)), /Git gives no history/);
});

test("a version without an agent's program is none", async () => {
  const { root, hashes } = repository("early", [contracts("1"), agent("1")]);
  assert.deepEqual(await previousVersion(root), { reason: `${String(hashes[0])} has no agent/main.ts` });
});
