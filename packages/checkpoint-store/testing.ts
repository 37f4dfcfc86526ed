import { spawnSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

import { CheckpointError } from "./errors.ts";
import type { CheckpointErrorCode } from "./errors.ts";
import { CheckpointStore } from "./store.ts";
import type { CheckpointStoreOptions } from "./store.ts";

const cleanups = new WeakMap<TestContext, (() => Promise<unknown>)[]>();

/** Does something when the test is over; what was registered last comes first (node:test's own order is the other). */
export function atEnd(test: TestContext, cleanup: () => Promise<unknown>): void {
  const known = cleanups.get(test);
  if (known !== undefined) {
    known.push(cleanup);
    return;
  }
  const all = [cleanup];
  cleanups.set(test, all);
  test.after(async () => {
    for (const next of all.reverse()) await next();
  });
}

/** A directory that goes when the test is over. */
export async function temporaryDirectory(test: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "checkpoints-"));
  atEnd(test, () => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A disk of a few MiB for as long as the test runs, or undefined, with the test skipped, where mounting is forbidden. */
export async function smallDisk(test: TestContext, mebibytes: number): Promise<string | undefined> {
  const disk = await temporaryDirectory(test);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", disk], { encoding: "utf8" });
  if (mounted.status !== 0) {
    test.skip(`can't mount a small tmpfs here (needs root): ${mounted.stderr || String(mounted.error)}`);
    return undefined;
  }
  atEnd(test, async () => spawnSync("umount", ["--lazy", disk]));
  return disk;
}

/** A started store in `directory` (default: a new one) that stops when the test is over. */
export async function startStore(
  test: TestContext,
  options: Partial<CheckpointStoreOptions> = {},
): Promise<CheckpointStore> {
  const directory = options.directory ?? (await temporaryDirectory(test));
  const store = new CheckpointStore({ ...options, directory });
  atEnd(test, () => store.stop());
  await store.start();
  return store;
}

/** Several started stores, all of which keep connected to the first; returns once they are. */
export async function startConnected(
  test: TestContext,
  count: number,
  options: Partial<CheckpointStoreOptions> = {},
): Promise<CheckpointStore[]> {
  const stores = await Promise.all(Array.from({ length: count }, () => startStore(test, options)));
  const first = stores[0]?.multiaddrs() ?? [];
  for (const store of stores.slice(1)) store.setPeers(first);
  await until(() => stores.slice(1).every((store) => store.peers().every((peer) => peer.connected)));
  return stores;
}

/** Waits until something is so. */
export async function until(isSo: () => boolean, timeout = 60_000): Promise<void> {
  const end = performance.now() + timeout;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`Not so after ${timeout} ms: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The same bytes as Kubo's tests make from a seed: ChaCha20 with the key SHA-256(seed) and nonce 0. */
export function* seededChunks(seed: string, bytes: number): Generator<Uint8Array> {
  const cipher = createCipheriv("chacha20", createHash("sha256").update(seed).digest(), Buffer.alloc(16));
  const zeros = Buffer.alloc(1024 * 1024);
  for (let left = bytes; left > 0; left -= zeros.byteLength) {
    yield cipher.update(zeros.subarray(0, Math.min(left, zeros.byteLength)));
  }
}

/** All of {@link seededChunks} at once. */
export function seededBytes(seed: string, bytes: number): Buffer {
  return Buffer.concat([...seededChunks(seed, bytes)]);
}

/** Path → content; a path that ends with "/" is an empty directory. */
export type Tree = Record<string, Uint8Array | string>;

export async function writeTree(directory: string, tree: Tree): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    const target = join(directory, path);
    await mkdir(path.endsWith("/") ? target : dirname(target), { recursive: true });
    if (!path.endsWith("/")) await writeFile(target, content);
  }
}

export async function readTree(directory: string): Promise<Tree> {
  const tree: Tree = {};
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (entry.isFile()) tree[name] = await readFile(path);
    else if ((await readdir(path)).length === 0) tree[`${name}/`] = "";
  }
  return tree;
}

/** Files of a store's blocks by name. */
export async function blockFiles(store: { directory: string }): Promise<Map<string, string>> {
  const root = join(store.directory, "blocks");
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  return new Map(
    entries.filter((entry) => entry.isFile()).map((entry) => [entry.name, join(entry.parentPath, entry.name)]),
  );
}

/** Flips a bit in the middle of a file. */
export async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = bytes.byteLength >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

/** For assert.rejects: a {@link CheckpointError} with this code whose message says all of these. */
export function failsWith(code: CheckpointErrorCode, ...says: string[]): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof CheckpointError)) throw error;
    if (error.code !== code) throw new Error(`expected ${code}, got ${error.code}: ${error.message}`, { cause: error });
    const missing = says.filter((text) => !error.message.includes(text));
    if (missing.length > 0) throw new Error(`"${error.message}" does not say ${missing.join(", ")}`);
    return true;
  };
}
