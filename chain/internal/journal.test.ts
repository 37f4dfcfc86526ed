import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Journal, type JournalEntry } from "./journal.ts";

const OWNER = { chainId: 31337, address: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" };

function entry(nonce: number, label = "settle"): JournalEntry {
  const hash = `0x${String(nonce).padStart(64, "0")}`;
  return { nonce, label, sent: [{ hash, maxFeePerGas: "20", maxPriorityFeePerGas: "1", cancels: false }] };
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "drmp-journal-"));
});
after(async () => {
  await rm(folder, { recursive: true });
});

test("what is in flight is there again after a restart", async () => {
  const file = join(folder, "new", "journal.json");
  const journal = await Journal.open(file, OWNER);
  assert.deepEqual(journal.entries(), []);
  await journal.put(entry(8));
  await journal.put(entry(7));
  await journal.put(entry(8, "replaced"));
  assert.deepEqual((await Journal.open(file, OWNER)).entries(), [entry(7), entry(8, "replaced")]);
  await journal.remove(7);
  await journal.remove(99);
  assert.deepEqual((await Journal.open(file, OWNER)).entries(), [entry(8, "replaced")]);
  assert.deepEqual(await readdir(join(folder, "new")), ["journal.json"]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test("without a file it lasts as long as the process", async () => {
  const journal = await Journal.open(undefined, OWNER);
  await journal.put(entry(1));
  assert.deepEqual(journal.get(1), entry(1));
  await journal.remove(1);
  assert.equal(journal.get(1), undefined);
});

test("a damaged journal and another signer's are refused by name", async () => {
  const file = join(folder, "damaged.json");
  const refused = async (text: string, message: RegExp) => {
    await writeFile(file, text);
    await assert.rejects(Journal.open(file, OWNER), { code: "JOURNAL_INVALID", message });
  };
  await refused('{"chainId": 31337,', /damaged\.json cannot be used: it is not valid JSON/);
  await refused(JSON.stringify({ ...OWNER, entries: [{ nonce: -1 }] }), /entries/);
  await refused(JSON.stringify({ ...OWNER, chainId: 8453, entries: [] }), /belongs to 0x7099.* on chain 8453/);
});

test("a journal that cannot be written leaves everything as it was, so that nothing is sent unnoted", async () => {
  const file = join(folder, "sub", "journal.json");
  const journal = await Journal.open(file, OWNER);
  await journal.put(entry(1));
  const text = await readFile(file, "utf8");
  // A folder in its place: renaming onto it fails, whoever tries.
  await rm(file);
  await mkdir(join(file, "in-the-way"), { recursive: true });
  await assert.rejects(journal.put(entry(2)), {
    code: "JOURNAL_FAILED",
    message: /sub\/journal\.json cannot be written/,
  });
  assert.deepEqual(journal.entries(), [entry(1)]);
  // What is settled is forgotten all the same, or it would be waited for over and over.
  await assert.rejects(journal.remove(1), { code: "JOURNAL_FAILED" });
  assert.deepEqual(journal.entries(), []);
  assert.deepEqual(await readdir(join(folder, "sub")), ["journal.json"]);
  assert.ok(text.includes("settle"));
});
