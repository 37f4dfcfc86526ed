import type { Job } from "./jobs.ts";

/** What every way needs to know of one round. */
export interface Stage {
  readonly file: string;
  readonly url: string;
  readonly cid: string;
  /** The content as it is sealed for a confidential task, and its CID, which the first store also has. */
  readonly sealed: { readonly file: string; readonly cid: string };
  /** Addresses of two stores that hold the content, and of another one for bitswap. */
  readonly stores: readonly [readonly string[], readonly string[], readonly string[]];
  /** A directory that is empty, and is deleted after the measurement. */
  readonly fresh: string;
}

/** A way to get at the bytes. */
export interface Way {
  readonly name: string;
  readonly job: (stage: Stage) => Job;
  /** Whose memory counts as the servers': the plain one's (0), the stores' (1 to 3). */
  readonly servers: readonly number[];
  /** Larger sizes are left out. */
  readonly mostMebibytes?: number;
}

/** What a download that is checked comes to: the bytes are hashed, and on the disk. */
export const BASELINE = "plain HTTP to a file, SHA-256";
export const PULL = "pull from 1 peer";
export const SEALED = "pull sealed from 1 peer, open";

const libp2p = (addresses: readonly string[]): string[] => addresses.filter((each) => !each.endsWith("/http"));

/** All ways, in the order of the table. */
export const WAYS: readonly Way[] = [
  { name: "SHA-256 of the file", servers: [], job: ({ file }) => ({ kind: "sha256", file }) },
  { name: "plain HTTP", servers: [0], job: ({ url }) => ({ kind: "http", url, hashing: false }) },
  { name: "plain HTTP, SHA-256", servers: [0], job: ({ url }) => ({ kind: "http", url, hashing: true }) },
  {
    name: BASELINE,
    servers: [0],
    job: ({ url, fresh }) => ({ kind: "http", url, hashing: true, file: fresh }),
  },
  {
    name: PULL,
    servers: [1],
    job: ({ cid, stores: [one], fresh }) => ({
      kind: "fetch",
      cid,
      peers: one,
      granted: true,
      directory: fresh,
      pin: false,
    }),
  },
  {
    name: SEALED,
    servers: [1],
    job: ({ sealed, stores: [one], fresh }) => ({
      ...{ kind: "fetch", cid: sealed.cid, peers: one, granted: true, directory: fresh, pin: false, sealed: true },
    }),
  },
  {
    name: "pull from 2 peers",
    servers: [1, 2],
    job: ({ cid, stores, fresh }) => ({
      kind: "fetch",
      cid,
      peers: stores.slice(0, 2).flat(),
      granted: true,
      directory: fresh,
      pin: false,
    }),
  },
  {
    name: "pull from 1 peer, pin, fsync",
    servers: [1],
    job: ({ cid, stores: [one], fresh }) => ({
      kind: "fetch",
      cid,
      peers: one,
      granted: true,
      directory: fresh,
      pin: true,
    }),
  },
  {
    name: "bitswap from 1 peer",
    servers: [3],
    mostMebibytes: 256,
    job: ({ cid, stores: [, , three], fresh }) => ({
      kind: "fetch",
      cid,
      peers: libp2p(three),
      granted: false,
      directory: fresh,
      pin: false,
    }),
  },
  { name: "seal", servers: [], job: ({ file, fresh }) => ({ kind: "seal", file, to: fresh }) },
  { name: "add, pin, fsync", servers: [], job: ({ file, fresh }) => ({ kind: "add", file, directory: fresh }) },
];
