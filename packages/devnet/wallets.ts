import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { encryptKeystoreJson, Wallet } from "ethers";

/** Somebody with a key of their own: an encrypted keystore and a file with its passphrase. */
export interface KeystoreWallet {
  readonly name: string;
  readonly address: string;
  readonly keystore: string;
  readonly passphraseFile: string;
}

/** Cost of the keystores' key derivation: little is enough for keys that live for minutes. */
const SCRYPT = { N: 1024, r: 8, p: 1 } as const;

/** Makes a fresh key, which exists nowhere but in its keystore. */
export async function newWallet(directory: string, name: string): Promise<KeystoreWallet> {
  await mkdir(directory, { recursive: true });
  const wallet = Wallet.createRandom();
  const passphrase = randomBytes(24).toString("hex");
  const keystore = join(directory, `${name}.json`);
  const passphraseFile = join(directory, `${name}.pass`);
  await writeFile(passphraseFile, passphrase, { mode: 0o600 });
  const { address, privateKey } = wallet;
  const json = await encryptKeystoreJson({ address, privateKey }, passphrase, { scrypt: SCRYPT });
  await writeFile(keystore, json, { mode: 0o600 });
  return { name, address, keystore, passphraseFile };
}
