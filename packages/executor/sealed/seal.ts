import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

import { owned } from "@verai/system/owned-bytes";
import { WorkloadError } from "../errors.ts";

/** Bytes of a task's key. */
export const KEY_BYTES = 32;
/** Bytes of the code before sealed data, and before a sealed name, which must stay short. */
const DATA_TAG = 32;
const NAME_TAG = 16;
const IV_BYTES = 16;

/** Bytes of a file that one segment takes: sealed, it fills one block of 1 MiB, so that what has not changed is not transferred again. */
export const SEGMENT_BYTES = 1024 * 1024 - DATA_TAG;

/** Bytes of the longest name that can be sealed: as base64url it has to fit into 255. */
export const MAX_NAME_BYTES = 175;

/**
 * Deterministic authenticated encryption under a task's key: equal content gives equal bytes, and so equal CIDs. It is SIV as
 * Rogaway and Shrimpton define it ("Deterministic Authenticated-Encryption", 2006), of HMAC-SHA-256 and AES-256-CTR: the code of
 * the plain bytes is the initial value of their encryption, and is checked when they are opened. docs/decisions/sealing-is-siv-of-hmac.md has the review, and why it is no library's. Both keys are derived from the task's. What is visible is lengths, and which segments equal each other.
 */
export class Seal {
  readonly #mac: Buffer;
  readonly #cipher: Buffer;

  /** @param key {@link KEY_BYTES} of a task's key */
  constructor(key: Uint8Array) {
    if (key.byteLength !== KEY_BYTES)
      throw new RangeError(`A task's key has ${KEY_BYTES} bytes, not ${key.byteLength}.`);
    this.#mac = Buffer.from(hkdfSync("sha256", key, "", "DRMP seal: code", 32));
    this.#cipher = Buffer.from(hkdfSync("sha256", key, "", "DRMP seal: cipher", 32));
  }

  /**
   * Seals bytes.
   *
   * @param place What they are: they can be opened as nothing else
   */
  close(plain: Uint8Array, place: string): Buffer {
    return this.#close(plain, place, DATA_TAG);
  }

  /** Opens what {@link close} made. @throws {@link WorkloadError} `SEAL_BROKEN` */
  open(sealed: Uint8Array, place: string): Buffer {
    return this.#open(sealed, place, DATA_TAG);
  }

  /** Seals a name of a file or directory. @throws {@link WorkloadError} `OUTPUT_INVALID` if it is too long */
  closeName(name: string): string {
    const bytes = Buffer.from(name);
    if (bytes.byteLength > MAX_NAME_BYTES) {
      throw new WorkloadError(
        "OUTPUT_INVALID",
        `The name ${JSON.stringify(name.slice(0, 40))}… has ${bytes.byteLength} bytes, and in a confidential task at most ${MAX_NAME_BYTES} are possible: shorten it.`,
      );
    }
    return this.#close(bytes, "name", NAME_TAG).toString("base64url");
  }

  /** Opens what {@link closeName} made. @throws {@link WorkloadError} `SEAL_BROKEN` */
  openName(sealed: string): string {
    const name = this.#open(Buffer.from(sealed, "base64url"), "name", NAME_TAG).toString();
    // Only one who has the key can have made it, and still it must not lead elsewhere.
    if (name === "" || name === "." || name === ".." || /[/\\\0]/.test(name)) throw broken("a name is no file's");
    return name;
  }

  #close(plain: Uint8Array, place: string, tagBytes: number): Buffer {
    const tag = this.#code(plain, place).subarray(0, tagBytes);
    const cipher = createCipheriv("aes-256-ctr", this.#cipher, tag.subarray(0, IV_BYTES));
    return Buffer.concat([tag, cipher.update(plain), cipher.final()]);
  }

  #open(sealed: Uint8Array, place: string, tagBytes: number): Buffer {
    if (sealed.byteLength < tagBytes) throw broken("it is too short");
    const tag = sealed.subarray(0, tagBytes);
    const cipher = createDecipheriv("aes-256-ctr", this.#cipher, tag.subarray(0, IV_BYTES));
    // A counter mode keeps nothing back.
    const plain = cipher.update(sealed.subarray(tagBytes));
    if (!timingSafeEqual(this.#code(plain, place).subarray(0, tagBytes), tag))
      throw broken("key and content do not fit");
    return owned(plain);
  }

  #code(plain: Uint8Array, place: string): Buffer {
    const head = Buffer.from(place);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.byteLength);
    return createHmac("sha256", this.#mac).update(length).update(head).update(plain).digest();
  }
}

function broken(why: string): WorkloadError {
  return new WorkloadError("SEAL_BROKEN", `Sealed content cannot be opened: ${why}. Use the key of its task.`);
}
