import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { seededChunks } from "@verai/checkpoint-store/testing";
import type { Measured } from "./jobs.ts";
import { measure, serve } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";
import { WAYS } from "./ways.ts";
import type { Stage, Way } from "./ways.ts";

/** The seed of Kubo's tests, and what its 1 GiB have for a CID with the profile unixfs-v1-2025. */
const SEED = "v1-2025-seed";
const KUBO_VECTORS: Readonly<Record<number, string>> = {
  1024: "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm",
};
/** Copies of the content on disk at a time: the file, three stores, the same sealed with a store of it, and what is being made. */
const COPIES = 9;

/** How much is transferred, and how often. */
export interface Size {
  readonly mebibytes: number;
  readonly rounds: number;
}

/** A way at a size: medians over the rounds. */
export interface Measurement {
  readonly way: string;
  readonly mebibytes: number;
  readonly rounds: number;
  /** MiB a second: the median, the least and the most. */
  readonly speed: number;
  readonly least: number;
  readonly most: number;
  /** Processor time of the client, milliseconds. */
  readonly processor: number;
  /** Maximum memory of the client, and of any of the servers, MiB. */
  readonly peak: number;
  readonly serverPeak: number | undefined;
}

/**
 * Measures all ways at a size. All data is in a temporary directory, which is deleted whatever happens.
 *
 * @throws Error if bytes or CIDs are not what they must be, or the disk is too small; the signal's reason
 */
export async function measureSize(
  { mebibytes, rounds }: Size,
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<Measurement[]> {
  const root = await mkdtemp(join(tmpdir(), "bench-checkpoints-"));
  const servers: ServerProcess[] = [];
  try {
    await refuseSmallDisk(root, mebibytes);
    const file = join(root, "content");
    say(`${mebibytes} MiB: making the content and the stores that hold it`);
    const digest = await makeContent(file, mebibytes, signal);
    const ways = WAYS.filter(({ mostMebibytes = Infinity }) => mebibytes <= mostMebibytes);
    const stores = Math.max(...ways.flatMap((way) => way.servers));
    const directories = Array.from({ length: stores }, (_, i) => join(root, `store-${i}`));
    const cids: string[] = [];
    for (const directory of directories) cids.push((await measure({ kind: "add", file, directory }, signal)).result);
    const [cid = ""] = cids;
    const expected = KUBO_VECTORS[mebibytes] ?? cid;
    if (cids.some((each) => each !== expected)) throw new Error(`CIDs ${cids.join(", ")} where ${expected} is right.`);

    const sealedFile = join(root, "sealed");
    await measure({ kind: "seal", file, to: sealedFile }, signal);
    const added = await measure({ kind: "add", file: sealedFile, directory: directories[0] ?? "" }, signal);

    servers.push(await serve({ kind: "serve-file", file }, signal));
    for (const [i, directory] of directories.entries()) {
      // The third serves bitswap, which knows no reasons.
      servers.push(await serve({ kind: "serve-store", directory, granted: i < 2 }, signal));
    }
    const [plain, one, two, three] = servers.map(({ addresses }) => addresses);
    const stage: Omit<Stage, "fresh"> = {
      file,
      url: plain?.[0] ?? "",
      cid,
      sealed: { file: sealedFile, cid: added.result },
      stores: [one ?? [], two ?? [], three ?? []],
    };
    const runs = new Map<Way, Measured[]>(ways.map((way) => [way, []]));
    const serverPeaks = new Map<Way, number>();
    for (let round = 1; round <= rounds; round++) {
      for (const way of ways) {
        say(`${mebibytes} MiB, round ${round} of ${rounds}: ${way.name}`);
        const fresh = join(root, "fresh");
        const job = way.job({ ...stage, fresh });
        const measured = await measure(job, signal);
        await rm(fresh, { recursive: true, force: true });
        refuseWrong(way, job.kind, measured.result, digest, job.kind === "fetch" ? job.cid : cid);
        runs.get(way)?.push(measured);
        const asked = servers.filter((_, i) => way.servers.includes(i));
        const peaks = await Promise.all(asked.map((server) => server.peak()));
        if (peaks.length > 0) serverPeaks.set(way, Math.max(...peaks));
      }
    }
    return [...runs].map(([way, all]) => summary(way.name, mebibytes, all, serverPeaks.get(way)));
  } finally {
    await Promise.all(servers.map((server) => server.stop().catch(() => undefined)));
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

function summary(way: string, mebibytes: number, runs: readonly Measured[], serverPeak?: number): Measurement {
  const speeds = runs.map(({ milliseconds }) => (mebibytes / milliseconds) * 1000);
  return {
    way,
    mebibytes,
    rounds: runs.length,
    speed: median(speeds),
    least: Math.min(...speeds),
    most: Math.max(...speeds),
    processor: median(runs.map(({ processor }) => processor)),
    peak: Math.max(...runs.map(({ peak }) => peak)),
    serverPeak,
  };
}

function refuseWrong(way: Way, kind: string, result: string, digest: string, cid: string): void {
  const expected = kind === "add" || kind === "fetch" ? cid : digest;
  if (result !== "" && result !== expected) {
    throw new Error(`"${way.name}" gave ${result} where ${expected} is right.`);
  }
}

async function refuseSmallDisk(directory: string, mebibytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = (bavail * bsize) / 2 ** 20;
  const needed = mebibytes * COPIES;
  if (free < needed) {
    throw new Error(
      `${directory} has ${free.toFixed(0)} MiB free where ${needed} are needed: set TMPDIR to a larger disk, or use --quick.`,
    );
  }
}

/** @returns the SHA-256 of the content in hex. */
async function makeContent(file: string, mebibytes: number, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  function* chunks(): Generator<Uint8Array> {
    for (const chunk of seededChunks(SEED, mebibytes * 2 ** 20)) {
      hash.update(chunk);
      yield chunk;
    }
  }
  await pipeline(chunks, createWriteStream(file), { signal });
  return hash.digest("hex");
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}
