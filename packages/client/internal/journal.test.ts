import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { keccak256, Wallet } from "ethers";

import { LOCAL_CHAIN_ID } from "../chains.ts";
import { Journal, type JournalEntry } from "./journal.ts";

const OWNER = { chainId: LOCAL_CHAIN_ID, address: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" };

const WALLET = new Wallet(`0x${"11".repeat(32)}`);
const OWN = { chainId: LOCAL_CHAIN_ID, address: WALLET.address };

function base(nonce: number) {
  const hash = `0x${String(nonce).padStart(64, "0")}`;
  return { hash, maxFeePerGas: "20", maxPriorityFeePerGas: "1", cancels: false };
}

function entry(nonce: number, label = "settle"): JournalEntry {
  return { nonce, label, sent: [base(nonce)] };
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

/** An entry that proves itself: it holds the signed transaction. */
async function signedEntry(nonce: number): Promise<JournalEntry> {
  const raw = await WALLET.signTransaction({
    type: 2,
    chainId: LOCAL_CHAIN_ID,
    nonce,
    to: WALLET.address,
    gasLimit: 21_000n,
  });
  return { ...entry(nonce), sent: [{ ...base(nonce), hash: keccak256(raw), raw }] };
}

for (const { name, damage, kept } of [
  { name: "cut off", damage: (text: string) => text.slice(0, 300), kept: 0 },
  { name: "empty", damage: () => "", kept: 0 },
  { name: "zeroes, as after a power cut", damage: (text: string) => "\0".repeat(text.length), kept: 0 },
  { name: "another kind of JSON", damage: () => "[1]", kept: 0 },
  { name: "a nonce below zero", damage: (text: string) => text.replace('"nonce": 7', '"nonce": -7'), kept: 1 },
  { name: "an altered nonce", damage: (text: string) => text.replace('"nonce": 7', '"nonce": 9'), kept: 1 },
  { name: "an altered label", damage: (text: string) => text.replace('"settle"', '"sett1e"'), kept: 2 },
  {
    name: "a flipped digit of a signed transaction",
    damage: (text: string) => text.replace('"raw": "0x02', '"raw": "0x03'),
    kept: 1,
  },
]) {
  test(`a damaged journal is set aside, and what proves itself is kept: ${name}`, async () => {
    const file = join(folder, name, "journal.json");
    const journal = await Journal.open(file, OWN);
    await journal.put(await signedEntry(7));
    await journal.put(await signedEntry(8));
    const text = damage(await readFile(file, "utf8"));
    await writeFile(file, text);
    const again = await Journal.open(file, OWN);
    assert.equal(again.entries().length, kept);
    assert.match(again.damage ?? "", new RegExp(`set aside as .*\\.bad, and ${String(kept)} of its entries`));
    const [bad = ""] = (await readdir(join(folder, name))).filter((each) => each.endsWith(".bad"));
    assert.equal(await readFile(join(folder, name, bad), "utf8"), text);
    assert.equal((await Journal.open(file, OWN)).damage, undefined);
  });
}

test("another signer's journal is refused by name, and so is one that cannot be read", async () => {
  const file = join(folder, "foreign.json");
  await writeFile(file, JSON.stringify({ ...OWNER, chainId: 8453, entries: [] }));
  await assert.rejects(Journal.open(file, OWNER), {
    code: "JOURNAL_INVALID",
    message: /belongs to 0x7099.* on chain 8453/,
  });
  await mkdir(join(folder, "a-folder"));
  await assert.rejects(Journal.open(join(folder, "a-folder"), OWNER), {
    code: "JOURNAL_INVALID",
    message: /cannot be read/,
  });
});

test("a journal of before there were checksums is taken over as it is", async () => {
  const file = join(folder, "old.json");
  await writeFile(file, JSON.stringify({ ...OWNER, entries: [entry(3)] }));
  const journal = await Journal.open(file, OWNER);
  assert.equal(journal.damage, undefined);
  assert.deepEqual(journal.entries(), [entry(3)]);
});

test("what was spent within the last hour outlives the process", async () => {
  const file = join(folder, "spent.json");
  const journal = await Journal.open(file, OWNER);
  journal.spendings = () => [{ ageMs: 60_000, wei: 7n }];
  await journal.put(entry(1));
  const [spent] = (await Journal.open(file, OWNER)).spentBefore;
  assert.equal(spent?.wei, 7n);
  assert.ok(spent.ageMs >= 60_000 && spent.ageMs < 120_000);
});

test("a mined transaction stays noted until its nonce is removed, without what is too large to keep", async () => {
  const file = join(folder, "mined.json");
  const journal = await Journal.open(file, OWNER);
  const large = { ...base(1), raw: `0x${"ab".repeat(10_000)}` };
  await journal.put({ ...entry(1), sent: [large] });
  await journal.setMined(1, { hash: large.hash, block: 5 });
  const again = await Journal.open(file, OWNER);
  assert.deepEqual(again.get(1), { ...entry(1), mined: { hash: large.hash, block: 5 } });
});

test("a journal that cannot be written leaves everything as it was, so that nothing is sent unnoted", async () => {
  const file = join(folder, "sub", "journal.json");
  const journal = await Journal.open(file, OWNER);
  await journal.put(entry(1));
  const text = await readFile(file, "utf8");
  // A folder in its place: renaming onto it fails, for any user.
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
