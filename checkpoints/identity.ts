import { chmod, readFile, stat } from "node:fs/promises";

import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";

import { CheckpointError, systemErrorCode } from "./errors.ts";
import { writeDurably } from "./files.ts";
import type { Log } from "./log.ts";

/**
 * Reads the store's private libp2p key (Ed25519), and makes one at the first start. The file's mode is 0600; a wider
 * one is narrowed, with a warning.
 *
 * @param temporary - directory on the same file system for the file while it is written
 * @throws {@link CheckpointError} `IDENTITY` if the file can't be read as a key.
 */
export async function loadIdentity(file: string, temporary: string, log: Log): Promise<PrivateKey> {
  let encoded: Buffer;
  try {
    encoded = await readFile(file);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") {
      throw new CheckpointError("IDENTITY", `Can't read the peer key ${file}: let this user own and read it`, {
        cause: error,
      });
    }
    const key = await generateKeyPair("Ed25519");
    await writeDurably(file, privateKeyToProtobuf(key), temporary, 0o600);
    return key;
  }
  if (((await stat(file)).mode & 0o077) !== 0) {
    await chmod(file, 0o600);
    log.warn({ file }, "The peer key could be read by others; its mode is 0600 now");
  }
  try {
    return privateKeyFromProtobuf(encoded);
  } catch (error) {
    throw new CheckpointError(
      "IDENTITY",
      `${file} holds no libp2p private key: restore it from a backup, or delete it to get a new identity (peers must then learn the new address)`,
      { cause: error },
    );
  }
}
