import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { z } from "zod";

import { owned } from "./owned-bytes.ts";
import { syncDirectory, systemCode, writeDurably, type WriteOptions } from "./durable.ts";

/** Where it is told what was set aside; standard error where none is given. A pino logger fits. */
export interface StateLog {
  error(fields: object, message: string): void;
}

/** For programs without a log. */
const toStandardError: StateLog = {
  error: (_, message) => {
    process.stderr.write(`${message}\n`);
  },
};

/** What the files of one kind hold. */
export interface StateKind<T extends z.ZodType> {
  /** What is in them, for messages: "record of a lease". */
  readonly what: string;
  /** Builds an object; checked whenever a file is read. */
  readonly schema: T;
  /** Version of the schema. Files of another one are set aside. */
  readonly version: number;
  /** Bytes that a file may have; 16 MiB unless stated. */
  readonly maxBytes?: number;
}

const MAX_BYTES = 16 * 2 ** 20;

/** Damaged copies of one file that are kept; later ones replace the last. */
const KEPT_BAD = 9;

const ENVELOPE = z.looseObject({
  version: z.number().int().optional(),
  checksum: z.string().optional(),
});

/** Why a file is not what it should be. */
class DamagedError extends Error {}

/**
 * Reads a file of state. What is damaged (truncated, empty, scrambled, of another version, larger than it may be, no
 * regular file, or one that this user may not read) is set aside as `*.bad` with a log line, and counts as missing.
 *
 * @returns undefined if there is no such file, or none any longer.
 * @throws the system's error if the file cannot be looked at now (EIO, EMFILE…), or cannot be set aside.
 */
export async function loadState<T extends z.ZodType>(
  file: string,
  kind: StateKind<T>,
  log?: StateLog,
): Promise<z.output<T> | undefined> {
  try {
    const bytes = await readBounded(file, kind.maxBytes ?? MAX_BYTES);
    return bytes && decodeState(bytes, kind);
  } catch (error) {
    const why = reasonOf(error);
    if (why === undefined) throw error;
    await setAside(file, `The ${kind.what}`, why, log);
    return undefined;
  }
}

/** Writes a file of state durably, with its version and a checksum. Throws as {@link writeDurably} does. */
export async function saveState<T extends z.ZodType>(
  file: string,
  kind: StateKind<T>,
  state: z.input<T> & object,
  options?: WriteOptions,
): Promise<void> {
  await writeDurably(file, encodeState(kind, state), options);
}

/** A state as it stands in a file: JSON with `version` and `checksum` at its end. */
export function encodeState<T extends z.ZodType>(kind: StateKind<T>, state: z.input<T> & object): string {
  const content = { ...state, version: kind.version };
  return `${JSON.stringify({ ...content, checksum: checksumOf(content) })}\n`;
}

function decodeState<T extends z.ZodType>(bytes: Uint8Array, kind: StateKind<T>): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DamagedError(bytes.length === 0 ? "it is empty" : "it is not valid JSON", { cause });
  }
  const envelope = ENVELOPE.safeParse(json);
  if (!envelope.success) throw new DamagedError(`it is not a JSON object: ${z.prettifyError(envelope.error)}`);
  const { version, checksum } = envelope.data;
  // As it was read: the checksum is over the entries in their order.
  const { checksum: _, ...content } = json as Record<string, unknown>;
  const { version: __, ...state } = content;
  if (version !== undefined && version !== kind.version) {
    throw new DamagedError(`it has version ${String(version)}, and this program reads version ${String(kind.version)}`);
  }
  // Files written before there were checksums have neither.
  if ((version !== undefined || checksum !== undefined) && checksum !== checksumOf(content)) {
    throw new DamagedError("its checksum is wrong");
  }
  const parsed = kind.schema.safeParse(state);
  if (!parsed.success) throw new DamagedError(z.prettifyError(parsed.error).replaceAll("\n", " "));
  return parsed.data;
}

function checksumOf(content: object): string {
  return `sha256:${createHash("sha256").update(JSON.stringify(content)).digest("hex")}`;
}

/**
 * Reads a file whole.
 *
 * @returns its bytes, which are the caller's (see {@link owned}); undefined if there is none.
 * @throws if it is larger, or no regular file; the system's errors.
 */
export async function readBounded(file: string, maxBytes: number): Promise<Buffer | undefined> {
  let handle: FileHandle;
  try {
    // Without waiting: opening a named pipe would otherwise last until somebody writes to it.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new DamagedError(stats.isDirectory() ? "it is a directory" : "it is not a regular file");
    if (stats.size > maxBytes) {
      throw new DamagedError(`it has ${String(stats.size)} bytes, more than the ${String(maxBytes)} that it may have`);
    }
    const bytes = Buffer.allocUnsafeSlow(stats.size);
    for (let got = 0; got < bytes.byteLength;) {
      const { bytesRead } = await handle.read(bytes, got, bytes.byteLength - got, got);
      // It became shorter meanwhile.
      if (bytesRead === 0) return bytes.subarray(0, got);
      got += bytesRead;
    }
    return owned(bytes);
  } finally {
    await handle.close();
  }
}

/** Why a file that could not be read is damaged; undefined if the error says nothing of the file. */
export function reasonOf(error: unknown): string | undefined {
  if (error instanceof DamagedError) return error.message;
  switch (systemCode(error)) {
    case "EACCES":
    case "EPERM":
      return "this user may not read it: have its data directory owned by the user that runs the process";
    case "EISDIR":
      return "it is a directory";
    case "ELOOP":
      return "it is a link to itself";
    case "ENXIO":
    case "ENODEV":
      return "it is not a regular file";
    default:
      return undefined;
  }
}

/**
 * Moves something damaged out of the way, to `*.bad` beside it, for people to look at. What was set aside before stays, up
 * to nine of them.
 *
 * @param what Begins the log line: "The record of a lease".
 * @returns Where it is now.
 */
export async function setAside(
  file: string,
  what: string,
  why: string,
  log: StateLog = toStandardError,
): Promise<string> {
  let target = `${file}.bad`;
  for (let n = 2; n <= KEPT_BAD && (await exists(target)); n++) target = `${file}.${String(n)}.bad`;
  await rm(target, { recursive: true, force: true });
  try {
    await rename(file, target);
  } catch (error) {
    throw new Error(`${what} ${file} is damaged (${why}) and cannot be set aside as ${target}: ${String(error)}`, {
      cause: error,
    });
  }
  await syncDirectory(dirname(file));
  log.error({ file, why, setAside: target }, `${what} ${file} is damaged, and is set aside as ${target}: ${why}`);
  return target;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
