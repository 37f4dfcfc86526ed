import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";

import { encryptKeystoreJson, Wallet } from "ethers";

import { readSecret, refuseRepository } from "@verai/client/keys";
import { CommandError } from "../errors.ts";
import { guarded } from "../session/context.ts";
import { Output } from "../session/output.ts";

interface Arguments {
  readonly json: boolean;
  readonly keystore: string;
  readonly passphraseFile: string;
}

/** Makes a key that exists nowhere but in its keystore. Overwrites nothing. */
export default async function newKey(args: Arguments): Promise<void> {
  await guarded(new Output(args.json), async (output) => {
    const { keystore, passphraseFile } = args;
    if (keystore === "" || passphraseFile === "") {
      throw new CommandError(
        "OPTION_MISSING",
        "Name both files: --keystore ~/keys/operator.json --passphrase-file ~/keys/operator.pass",
      );
    }
    await refuseRepository(keystore, "keystore");
    await refuseRepository(passphraseFile, "passphrase file");
    if (existsSync(keystore)) throw taken(keystore);
    const made = await writeNew(passphraseFile, `${randomBytes(24).toString("hex")}\n`);
    const passphrase = await readSecret(passphraseFile, "passphrase file");
    const { address, privateKey } = Wallet.createRandom();
    const encrypted = await encryptKeystoreJson({ address, privateKey }, passphrase);
    if (!(await writeNew(keystore, encrypted))) throw taken(keystore);
    if (made) output.say(`${passphraseFile} holds a random passphrase. Keep a copy of both files elsewhere.`);
    output.say(`${address} is the address of the key in ${keystore}.`);
    output.result({ address, keystore, passphraseFile });
  });
}

function taken(keystore: string): CommandError {
  return new CommandError(
    "FILE_UNUSABLE",
    `There is a file ${keystore} already, and no key is overwritten: name another with --keystore.`,
  );
}

/** Writes a file that only its owner may read. @returns False, and nothing is written, if it is there already. */
async function writeNew(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw new CommandError("FILE_UNUSABLE", `${file} cannot be written; does its folder exist?`, { cause: error });
  }
}
