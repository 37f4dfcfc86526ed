import { createHash, hkdfSync, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { DrmpError } from "@verai/errors/drmp-error";
import { KEY_BYTES } from "@verai/executor/sealed/seal";
import { systemCode, writeDurably } from "@verai/system/durable";
import { readBounded } from "@verai/system/state-file";

/** Bytes of a key's file: its digits, and a line's end. */
const MAX_FILE = 256;

/** A key's file that cannot be used. */
class TaskKeyError extends DrmpError {
  override readonly name = "TaskKeyError";

  constructor(message: string, options?: ErrorOptions) {
    super("TASK_KEY_UNUSABLE", message, options);
  }
}

/**
 * Keys of confidential tasks, in a directory: `master.key`, from which they are derived, so that the same spec is sealed in the same
 * way when it is submitted again, and `<digest of the sealed spec>.key` for each task. A key host elsewhere needs the latter alone.
 */
export class TaskKeys {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The key for a spec that is to be sealed. @param spec Its bytes. */
  async derive(spec: Uint8Array): Promise<Uint8Array> {
    const master = (await this.#read("master")) ?? (await this.#write("master", randomBytes(KEY_BYTES)));
    const salt = createHash("sha256").update(spec).digest();
    return new Uint8Array(hkdfSync("sha256", master, salt, "DRMP task key", KEY_BYTES));
  }

  /** Remembers the key of a task. @param digest Of its sealed spec, as the chain has it. */
  async save(digest: string, key: Uint8Array): Promise<void> {
    await this.#write(nameOf(digest), key);
  }

  /** The key of a task; undefined if it is not here. */
  async find(digest: string): Promise<Uint8Array | undefined> {
    return this.#read(nameOf(digest));
  }

  /** Where the key of a task is. */
  fileOf(digest: string): string {
    return join(this.#directory, `${nameOf(digest)}.key`);
  }

  async #read(name: string): Promise<Uint8Array | undefined> {
    const file = join(this.#directory, `${name}.key`);
    const bytes = await readBounded(file, MAX_FILE).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (!bytes) return undefined;
    const text = Buffer.from(bytes).toString("latin1").trim();
    // What is lost cannot be made again: nothing is put in its place.
    if (!/^[0-9a-f]{64}$/.test(text)) {
      throw new TaskKeyError(`${file} does not hold 64 hexadecimal digits: put back the file from a copy.`);
    }
    return Buffer.from(text, "hex");
  }

  async #write(name: string, key: Uint8Array): Promise<Uint8Array> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeDurably(join(this.#directory, `${name}.key`), `${Buffer.from(key).toString("hex")}\n`);
    return key;
  }
}

function nameOf(digest: string): string {
  return digest.replace(/^0x/, "").toLowerCase();
}
