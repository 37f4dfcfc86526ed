import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";

import { encryptKeystoreJson, Wallet } from "ethers";

import { LOCAL_CHAIN_ID } from "./chains.ts";
import { ChainError } from "./errors.ts";
import { openSigner } from "./keys.ts";

const KEY = `0x${"4c".repeat(32)}`;
const { address: ADDRESS } = new Wallet(KEY);
const PASSPHRASE = "correct horse";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "drmp-keys-"));
});
after(async () => {
  await rm(folder, { recursive: true });
});

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

/** The refusal, which must not hold what was in the file. */
async function refusal(opened: Promise<unknown>, ...secrets: string[]): Promise<ChainError> {
  const error = await opened.then(
    () => assert.fail("it was opened"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ChainError);
  for (const secret of secrets) assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(secret));
  return error;
}

test("a key file outside the repository is read, with or without 0x", async () => {
  assert.equal((await openSigner({ keyFile: await file("key", `${KEY}\n`) }, 8453)).address, ADDRESS);
  assert.equal((await openSigner({ keyFile: await file("bare", KEY.slice(2)) }, 8453)).address, ADDRESS);
});

test("a key file that others can read is refused", async () => {
  const keyFile = await file("open", KEY, 0o644);
  const error = await refusal(openSigner({ keyFile }, 8453), KEY.slice(2));
  assert.equal(error.code, "KEY_EXPOSED");
  assert.match(error.message, /can be read by others \(mode 644\); run `chmod 600 .*open`/);
});

test("a key file inside the repository is refused, also behind a link", async () => {
  const inside = new URL("../../package.json", import.meta.url).pathname;
  assert.equal((await refusal(openSigner({ keyFile: inside }, 8453))).code, "KEY_EXPOSED");
  const link = join(folder, "link");
  await symlink(inside, link);
  assert.match((await refusal(openSigner({ keyFile: link }, 8453))).message, /inside the repository/);
});

test("a missing or damaged key is named without being shown", async () => {
  const missing = await refusal(openSigner({ keyFile: join(folder, "none") }, 8453));
  assert.equal(missing.code, "KEY_MISSING");
  const damaged = "4c".repeat(31);
  const short = await refusal(openSigner({ keyFile: await file("short", damaged) }, 8453), damaged);
  assert.equal(short.code, "KEY_INVALID");
  const tooLarge = "f".repeat(64);
  const off = await refusal(openSigner({ keyFile: await file("off", tooLarge) }, 8453), tooLarge);
  assert.equal(off.code, "KEY_INVALID");
});

test("an encrypted keystore opens with the passphrase in a file, or in the file that a variable names", async () => {
  // Far fewer rounds than a real keystore has, for the test's sake.
  const json = await encryptKeystoreJson({ address: ADDRESS, privateKey: KEY }, PASSPHRASE, { scrypt: { N: 2 } });
  const keystore = await file("keystore.json", json, 0o644);
  const passphraseFile = await file("passphrase", `${PASSPHRASE}\n`);
  assert.equal((await openSigner({ keystore, passphraseFile }, 8453)).address, ADDRESS);

  process.env["DRMP_TEST_PASSPHRASE_FILE"] = passphraseFile;
  const passphraseFileEnv = "DRMP_TEST_PASSPHRASE_FILE";
  assert.equal((await openSigner({ keystore, passphraseFileEnv }, 8453)).address, ADDRESS);
  delete process.env["DRMP_TEST_PASSPHRASE_FILE"];
  const unset = await refusal(openSigner({ keystore, passphraseFileEnv }, 8453));
  assert.match(unset.message, /set the environment variable DRMP_TEST_PASSPHRASE_FILE/);
  assert.match((await refusal(openSigner({ keystore }, 8453))).message, /name it as passphraseFile/);

  const wrong = await file("wrong", "wrong horse");
  const error = await refusal(openSigner({ keystore, passphraseFile: wrong }, 8453), "wrong horse");
  assert.match(error.message, /the passphrase is wrong/);
  const shown = await file("shown", PASSPHRASE, 0o640);
  assert.equal((await refusal(openSigner({ keystore, passphraseFile: shown }, 8453), PASSPHRASE)).code, "KEY_EXPOSED");
  const noStore = await refusal(openSigner({ keystore: await file("x", "{}"), passphraseFile }, 8453), PASSPHRASE);
  assert.match(noStore.message, /no encrypted keystore/);
});

test("test accounts sign for the local chain alone", async () => {
  const signer = await openSigner({ testAccount: 1 }, LOCAL_CHAIN_ID);
  assert.equal(signer.address, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
  assert.ok(!inspect(signer, { depth: 9 }).includes("junk"));
  assert.equal((await refusal(openSigner({ testAccount: 1 }, 84532))).code, "TEST_KEY_REFUSED");
  assert.equal((await refusal(openSigner({ testAccount: 100 }, LOCAL_CHAIN_ID))).code, "KEY_INVALID");
});
