import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { type KeySource, openSigner } from "@verai/client/keys";
import { failure, type Finding } from "./finding.ts";

const MIB = 2 ** 20;
/** Free files below which a directory cannot take a checkpoint of many small ones. */
const MIN_FREE_FILES = 1000;

/**
 * Whether a directory can be made and written to, and has room. Changes nothing.
 *
 * @param minFree Bytes that have to be free.
 */
export async function directoryFindings(entry: string, directory: string, minFree: number): Promise<Finding[]> {
  const about = { level: "error", entry, value: directory } as const;
  if (directory.trim() === "") {
    return [{ ...about, what: "is empty", bound: "a directory's path", remedy: "name one" }];
  }
  const nearest = await nearestOf(resolve(directory));
  const found = await stat(nearest);
  if (!found.isDirectory()) {
    return [
      {
        ...about,
        what: `cannot be made: ${nearest} is a file`,
        bound: "a directory",
        remedy: "name another, or move that file",
      },
    ];
  }
  const denied = await access(nearest, constants.W_OK | constants.X_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  if (denied !== undefined) {
    const why =
      denied === "EROFS" ? "its file system is read-only" : `this user may not write to ${nearest} (${denied})`;
    return [
      {
        ...about,
        what: `cannot be written to: ${why}`,
        bound: "writable",
        remedy: "change its owner or mode, or name another",
      },
    ];
  }
  const { bavail, bsize, ffree, files } = await statfs(nearest);
  const findings: Finding[] = [];
  if (bavail * bsize < minFree) {
    findings.push({
      ...about,
      what: `has ${mib(bavail * bsize)} MiB free`,
      bound: `on a disk with ${mib(minFree)} MiB free`,
      remedy: "free some space, or name a directory on another disk",
    });
  }
  // Some file systems know no number of files and say 0 of 0.
  if (files > 0 && ffree < MIN_FREE_FILES) {
    findings.push({
      ...about,
      what: `has room for ${String(ffree)} more files`,
      bound: `on a disk with room for ${String(MIN_FREE_FILES)}`,
      remedy: "remove files, or name a directory on another disk",
    });
  }
  return findings;
}

/** Whether a key can be used: it exists, only its owner can read it, and its passphrase opens it. */
export async function keyFindings(entry: string, source: KeySource, chainId: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  if ("keystore" in source && process.platform !== "win32") {
    const mode = await stat(source.keystore).then(
      ({ mode: bits }) => bits & 0o777,
      () => 0o600,
    );
    if ((mode & 0o077) !== 0) {
      findings.push({
        level: "warning",
        entry: `${entry}.keystore`,
        value: source.keystore,
        what: `can be read by others (mode ${mode.toString(8)})`,
        bound: "readable by its owner alone (mode 600)",
        remedy: `run \`chmod 600 ${source.keystore}\``,
      });
    }
  }
  try {
    await openSigner(source, chainId);
  } catch (error) {
    findings.push(failure(entry, "a key that this process can use", error));
  }
  return findings;
}

/** The directory itself, or the nearest one above it that exists. */
async function nearestOf(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const there = await stat(at).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === "EACCES",
    );
    if (there || at === dirname(at)) return at;
  }
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}
