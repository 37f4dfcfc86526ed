import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Submission, type SubmissionIdentity } from "./submission.ts";

const IDENTITY: SubmissionIdentity = {
  chainId: 8453,
  genesis: "",
  registry: "0x01",
  owner: "0x02",
  spec: `0x${"ab".repeat(32)}`,
  terms: { units: 2, maxPrice: "0.01", classes: { "cpu/eu": "0", "cpu/us": "0.003" } },
  name: "1",
};
const SIGNED = { nonce: 4, hash: `0x${"cd".repeat(32)}`, block: 7 };

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "drmp-submission-"));
});
after(() => rm(folder, { recursive: true }));

test("what was signed and what came of it is there again after a restart", async () => {
  const record = await Submission.open(folder, IDENTITY);
  assert.deepEqual([record.signed, record.taskId], [[], undefined]);
  await record.note(SIGNED);
  assert.deepEqual((await Submission.open(folder, IDENTITY)).signed, [SIGNED]);
  await record.done(12);
  assert.equal((await Submission.open(folder, IDENTITY)).taskId, 12);
});

test("the order in which terms are written makes no other submission; everything else does", async () => {
  const same = { ...IDENTITY, terms: { classes: { "cpu/us": "0.003", "cpu/eu": "0" }, maxPrice: "0.01", units: 2 } };
  assert.equal((await Submission.open(folder, same)).taskId, 12);
  for (const other of [
    { chainId: 84532 },
    { genesis: "0x03" },
    { registry: "0x03" },
    { owner: "0x03" },
    { spec: `0x${"ba".repeat(32)}` },
    { terms: { ...IDENTITY.terms, units: 3 } },
    { name: "second" },
  ]) {
    const record = await Submission.open(folder, { ...IDENTITY, ...other });
    assert.deepEqual([record.signed, record.taskId, record.damage], [[], undefined, undefined], JSON.stringify(other));
  }
});

test("a damaged record is set aside and says so, and so is one that belongs to another submission", async () => {
  const directory = join(folder, "damaged");
  await (await Submission.open(directory, IDENTITY)).note(SIGNED);
  const [name = ""] = await readdir(directory);
  const file = join(directory, name);
  const text = await readFile(file, "utf8");
  for (const damaged of ["", text.slice(0, 40), text.replace(/"identity": "./, '"identity": "x'), "[]", "null"]) {
    await writeFile(file, damaged);
    const record = await Submission.open(directory, IDENTITY);
    assert.match(record.damage ?? "", /\.bad$/, damaged);
    assert.equal(await readFile(record.damage ?? "", "utf8"), damaged);
    assert.deepEqual(record.signed, []);
  }
});

test("without the record nothing may be paid for", async () => {
  const directory = join(folder, "unreadable");
  await writeFile(directory, "a file where a folder is needed");
  await assert.rejects(Submission.open(directory, IDENTITY), { code: "SUBMISSION_UNREADABLE" });
});
