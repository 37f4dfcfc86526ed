import { randomBytes } from "node:crypto";
import { statfs } from "node:fs/promises";

import type Docker from "dockerode";
import PQueue from "p-queue";
import { z } from "zod";

import { loadState, saveState, type StateKind } from "@verai/system/state-file";
import { WorkloadError } from "../errors.ts";
import { DeadlineError } from "../time-outs.ts";
import { answer, type Engine, insist, messageOf, statusOf } from "./engine.ts";
import type { LocalImage } from "./options.ts";
import { type Credentials, fingerprintOf, registryOf } from "./registries.ts";

const PULLED = {
  what: "list of pulled images",
  version: 1,
  schema: z.object({
    images: z.array(
      z.object({
        reference: z.string(),
        id: z.string(),
        bytes: z.number().nonnegative(),
        /** When it was last wanted, milliseconds since 1970. */
        usedAt: z.number(),
        /** Of the credentials that its registry wanted and was shown; absent: it let anybody pull it. */
        shown: z.object({ salt: z.string(), fingerprints: z.array(z.string()) }).optional(),
      }),
    ),
  }),
} satisfies StateKind<z.ZodType>;

/** What is remembered of an image that was pulled for a task. */
export type PulledImage = Readonly<z.output<(typeof PULLED)["schema"]>["images"][number]>;

/** Bounds on images. */
export interface ImageLimits {
  /** All images that were pulled for tasks together, MiB; the least recently used go first. */
  readonly totalMiB: number;
  /** One image, MiB. */
  readonly eachMiB: number;
  readonly pullSeconds: number;
}

const MIB = 1024 * 1024;
/** MiB that stay free on the engine's disk while an image is pulled. */
const MIN_FREE_MIB = 512;
/** Credentials with which one image may have been pulled; the oldest are forgotten, and shown to the registry once more. */
const MAX_SHOWN = 16;
/** Milliseconds between two looks at that disk. */
const DISK_MS = 500;

/**
 * Images to be removed so that the rest keeps within a bound: the longest unused ones first.
 *
 * @param inUse Ids of images that have containers.
 */
export function imagesToRemove(
  images: readonly PulledImage[],
  totalBytes: number,
  inUse: ReadonlySet<string>,
): PulledImage[] {
  let bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  const removed: PulledImage[] = [];
  for (const image of [...images].sort((a, b) => a.usedAt - b.usedAt)) {
    if (bytes <= totalBytes) break;
    if (inUse.has(image.id)) continue;
    removed.push(image);
    bytes -= image.bytes;
  }
  return removed;
}

/** An image's name as engines find it by digest: without the tag, which is for people. */
export function withoutTag(reference: string): string {
  return reference.replace(/:[^:/@]+@/, "@");
}

/** Gets images, and removes those again that it has got itself; the owner's own are left alone. */
export class Images {
  readonly #docker: Docker;
  readonly #file: string;
  readonly #limits: ImageLimits;
  readonly #free: (() => Promise<number>) | undefined;
  readonly #pulls = new Map<string, Promise<LocalImage>>();
  /** One at a time writes the file. */
  readonly #notes = new PQueue({ concurrency: 1 });

  /**
   * @param file Where it notes what it has pulled.
   * @param free Bytes that are free on the engine's disk; left out: where the engine says it keeps images.
   */
  constructor(
    engine: Pick<Engine, "docker" | "dataDirectory">,
    file: string,
    limits: ImageLimits,
    free = freeIn(engine.dataDirectory),
  ) {
    this.#docker = engine.docker;
    this.#free = free;
    this.#file = file;
    this.#limits = limits;
  }

  /**
   * The image, pulled if it is not there and is named by digest. Calls for the same one share a pull. One that was pulled with
   * credentials is only for those who have them: for anybody else it is pulled once more, so that its registry decides.
   *
   * @throws {@link WorkloadError} `IMAGE_UNAVAILABLE`
   */
  async get(reference: string, credentials?: Credentials): Promise<LocalImage> {
    const name = withoutTag(reference);
    const key = JSON.stringify([name, credentials?.username, credentials?.password]);
    const under = this.#pulls.get(key);
    if (under) return under;
    const getting = this.#get(name, credentials).finally(() => this.#pulls.delete(key));
    this.#pulls.set(key, getting);
    return getting;
  }

  /** Removes what is too much. Images in use stay. O(images and containers). */
  async collect(): Promise<string[]> {
    return this.#notes.add(async () => {
      const containers = await insist(() => this.#docker.listContainers({ all: true }));
      const inUse = new Set(containers.map(({ ImageID }) => ImageID));
      const images = await this.#read();
      const gone: string[] = [];
      for (const { reference } of imagesToRemove(images, this.#limits.totalMiB * MIB, inUse)) {
        try {
          await answer(() => this.#docker.getImage(reference).remove());
          gone.push(reference);
        } catch (error) {
          // 404: removed by hand; 409: in use since.
          if (statusOf(error) === 404) gone.push(reference);
          else if (statusOf(error) !== 409) throw error;
        }
      }
      await this.#write(images.filter(({ reference }) => !gone.includes(reference)));
      return gone;
    });
  }

  async #get(name: string, credentials: Credentials | undefined): Promise<LocalImage> {
    const here = await this.#inspect(name);
    const noted = here && (await this.#read()).find(({ reference }) => reference === name);
    const shown = noted?.shown;
    const isForAll = shown === undefined;
    if (here && (isForAll || (credentials && shown.fingerprints.includes(fingerprintOf(credentials, shown.salt))))) {
      await this.#notes.add(async () => {
        const images = await this.#read();
        const known = images.map((each) => (each.reference === name ? { ...each, usedAt: Date.now() } : each));
        await this.#write(known);
      });
      return here;
    }
    if (!name.includes("@sha256:")) {
      throw new WorkloadError(
        "IMAGE_UNAVAILABLE",
        `The image ${name} is not on this machine, and only images by digest are pulled: build or pull it, or name it ` +
          `by its digest.`,
      );
    }
    if (here) await this.#removeForAnother(name);
    await this.#pull(name, credentials);
    const pulled = await this.#inspect(name);
    if (!pulled)
      throw new WorkloadError(
        "IMAGE_UNAVAILABLE",
        `The image ${name} cannot be pulled: the engine says that it was, but does not have it. See that nothing else ` +
          `removes images there.`,
      );
    const { id, bytes } = pulled;
    if (bytes > this.#limits.eachMiB * MIB) {
      await answer(() => this.#docker.getImage(name).remove()).catch(() => undefined);
      throw this.#tooLarge(name);
    }
    await this.#notes.add(async () => {
      const others = (await this.#read()).filter(({ reference }) => reference !== name);
      const note = { reference: name, id, bytes, usedAt: Date.now() };
      await this.#write([...others, credentials ? { ...note, shown: withShown(shown, credentials) } : note]);
    });
    return pulled;
  }

  /**
   * Removes an image, so that all of it has to be had from its registry once more.
   *
   * @throws {@link WorkloadError} `IMAGE_UNAVAILABLE` while units run it
   */
  async #removeForAnother(name: string): Promise<void> {
    try {
      await answer(() => this.#docker.getImage(name).remove());
    } catch (cause) {
      if (statusOf(cause) === 404) return;
      throw new WorkloadError(
        "IMAGE_UNAVAILABLE",
        `The image ${name} was pulled with another developer's credentials, and units run it now (${messageOf(cause)}): ` +
          `it can be pulled for this task once they have ended.`,
        { cause },
      );
    }
  }

  async #inspect(name: string): Promise<(LocalImage & { bytes: number }) | undefined> {
    try {
      const { Id, Size, Config } = await insist(() => this.#docker.getImage(name).inspect());
      return { id: Id, bytes: Size, volumes: Object.keys(Config?.Volumes ?? {}) };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw new WorkloadError("IMAGE_UNAVAILABLE", `The engine did not answer about ${name}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async #pull(name: string, credentials: Credentials | undefined): Promise<void> {
    const stop = new AbortController();
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const refuse = (error: WorkloadError): void => {
      reject(error);
      stop.abort(error);
    };
    const watch = await this.#watchDisk(name, refuse);
    try {
      const pulling = answer(
        (signal) => this.#stream(name, credentials, AbortSignal.any([signal, stop.signal]), refuse),
        this.#pullMs,
      );
      await Promise.race([pulling, stopped]);
    } catch (cause) {
      if (cause instanceof WorkloadError) throw cause;
      const late = cause instanceof DeadlineError;
      const why = late ? `it took more than ${this.#limits.pullSeconds} s` : messageOf(cause);
      const remedy =
        credentials === undefined
          ? "See that its registry lets anybody pull it, or name credentials for it, and that this machine reaches it."
          : `See that user ${credentials.username} may pull it there, and that this machine reaches it.`;
      throw new WorkloadError("IMAGE_UNAVAILABLE", `The image ${name} cannot be pulled: ${why}. ${remedy}`, { cause });
    } finally {
      clearInterval(watch);
    }
  }

  get #pullMs(): number {
    return this.#limits.pullSeconds * 1000;
  }

  async #stream(
    name: string,
    credentials: Credentials | undefined,
    abortSignal: AbortSignal,
    refuse: (error: WorkloadError) => void,
  ): Promise<void> {
    const stream = await this.#docker.pull(name, {
      abortSignal,
      ...(credentials && { authconfig: { ...credentials, serveraddress: registryOf(name) } }),
    });
    const layers = new Map<string, number>();
    await new Promise<void>((resolve, reject) => {
      const ended = (error: Error | null) => {
        if (error) reject(error);
        else resolve();
      };
      stream.once("error", reject);
      stream.once("close", () => reject(new Error("the engine ended the pull without a word")));
      this.#docker.modem.followProgress(stream, ended, (event: PullEvent) => {
        if (event.status !== "Downloading" || event.id === undefined) return;
        layers.set(event.id, event.progressDetail?.total ?? 0);
        // Compressed sizes: what is too large even so need not be fetched to its end.
        const total = [...layers.values()].reduce((sum, bytes) => sum + bytes, 0);
        if (total > this.#limits.eachMiB * MIB) refuse(this.#tooLarge(name));
      });
    });
  }

  /** What layers unpack to is not known before: the disk is looked at while they do. Where it cannot be seen, nothing is. */
  async #watchDisk(name: string, refuse: (error: WorkloadError) => void): Promise<NodeJS.Timeout | undefined> {
    const before = await this.#freeBytes();
    if (before === undefined) return undefined;
    const timer = setInterval(() => {
      void this.#freeBytes().then((free) => {
        if (free === undefined) return;
        // A layer lies there packed and unpacked for a while.
        if (before - free > 2 * this.#limits.eachMiB * MIB) refuse(this.#tooLarge(name));
        else if (free < MIN_FREE_MIB * MIB) refuse(this.#fillsDisk(name, free));
      });
    }, DISK_MS);
    return timer;
  }

  async #freeBytes(): Promise<number | undefined> {
    return this.#free?.().catch(() => undefined);
  }

  #fillsDisk(name: string, free: number): WorkloadError {
    return new WorkloadError(
      "IMAGE_UNAVAILABLE",
      `The image ${name} was given up while it was pulled: ${Math.floor(free / MIB)} MiB are free on the engine's disk, ` +
        `${MIN_FREE_MIB} MiB have to stay free. Free some space there, or lower executor.images.totalMiB.`,
    );
  }

  #tooLarge(name: string): WorkloadError {
    return new WorkloadError(
      "IMAGE_UNAVAILABLE",
      `The image ${name} is larger than the ${this.#limits.eachMiB} MiB that this node takes: make it smaller, or have ` +
        `the node's owner raise executor.images.eachMiB.`,
    );
  }

  /** Missing or damaged: then those images stay until somebody removes them by hand. */
  async #read(): Promise<PulledImage[]> {
    return (await loadState(this.#file, PULLED))?.images ?? [];
  }

  async #write(images: readonly PulledImage[]): Promise<void> {
    await saveState(this.#file, PULLED, { images: [...images] });
  }
}

function withShown(before: PulledImage["shown"], credentials: Credentials): NonNullable<PulledImage["shown"]> {
  const salt = before?.salt ?? randomBytes(16).toString("hex");
  const fingerprint = fingerprintOf(credentials, salt);
  const others = (before?.fingerprints ?? []).filter((each) => each !== fingerprint);
  return { salt, fingerprints: [...others, fingerprint].slice(-MAX_SHOWN) };
}

function freeIn(directory: string | undefined): (() => Promise<number>) | undefined {
  if (directory === undefined) return undefined;
  return async () => {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  };
}

interface PullEvent {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly total?: number };
}
