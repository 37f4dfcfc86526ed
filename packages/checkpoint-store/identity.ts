import { chmod, stat } from "node:fs/promises";

import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";

import { systemCode } from "@verai/system/durable";
import { readBounded, reasonOf, setAside } from "@verai/system/state-file";
import { CheckpointError } from "./errors.ts";
import { writeDurably } from "./files.ts";
import type { Log } from "./log.ts";

/** Bytes that a key file may have; an Ed25519 key has 68. */
const MAX_KEY_BYTES = 4096;

/**
 * Reads the store's private libp2p key (Ed25519), and makes one at the first start. There is a second copy of it beside
 * the file, `<file>.copy`: a damaged file is set aside as `*.bad`, and the other one goes on. Their mode is 0600; a wider
 * one is narrowed, with a warning.
 *
 * @param temporary - directory on the same file system for the file while it is written
 * @throws {@link CheckpointError} `IDENTITY` if this user may not read the file: the key is not given up for that.
 */
export async function loadIdentity(file: string, temporary: string, log: Log): Promise<PrivateKey> {
  const copy = `${file}.copy`;
  const existed = { damaged: false };
  const main = await readKey(file, log, existed);
  const spare = await readKey(copy, log, existed);
  const key = main ?? spare;
  if (!key) {
    const made = await generateKeyPair("Ed25519");
    for (const path of [file, copy]) await writeDurably(path, privateKeyToProtobuf(made), temporary, 0o600);
    if (existed.damaged) {
      log.error(
        { file },
        "The peer key was damaged, and there is a new one: others reach this peer only once its new address is registered",
      );
    }
    return made;
  }
  for (const [path, there] of [
    [file, main],
    [copy, spare],
  ] as const) {
    if (there?.equals(key) !== true) await writeDurably(path, privateKeyToProtobuf(key), temporary, 0o600);
  }
  return key;
}

/** @returns undefined if there is no such file, or it is damaged and set aside. */
async function readKey(file: string, log: Log, existed: { damaged: boolean }): Promise<PrivateKey | undefined> {
  let why: string | undefined;
  try {
    const encoded = await readBounded(file, MAX_KEY_BYTES);
    if (encoded === undefined) return undefined;
    if (((await stat(file)).mode & 0o077) !== 0) {
      await chmod(file, 0o600);
      log.warn({ file }, "The peer key could be read by others; its mode is 0600 now");
    }
    const key = await parseKey(encoded);
    if (key) return key;
    why = "it holds no libp2p private key";
  } catch (error) {
    const mayNotRead = systemCode(error) === "EACCES" || systemCode(error) === "EPERM";
    why = mayNotRead ? undefined : reasonOf(error);
    if (why === undefined) {
      throw new CheckpointError("IDENTITY", `Cannot read the peer key ${file}: let this user own and read it`, {
        cause: error,
      });
    }
  }
  existed.damaged = true;
  await setAside(file, "The peer key", why, log);
  return undefined;
}

/** A key that works: both its halves are in the file, and damage to one would show only when a peer checks a signature. */
async function parseKey(encoded: Uint8Array): Promise<PrivateKey | undefined> {
  try {
    const key = privateKeyFromProtobuf(encoded);
    const trial = Buffer.from("drmp");
    return (await key.publicKey.verify(trial, await key.sign(trial))) ? key : undefined;
  } catch {
    return undefined;
  }
}
