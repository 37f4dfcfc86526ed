import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import type { CID } from "multiformats/cid";

import { BlockNotFoundError } from "../blocks.ts";
import { toCid } from "../cids.ts";
import { CheckpointError } from "../errors.ts";
import { free } from "@verai/system/owned-bytes";
import { createGuardedServer, refuse } from "@verai/system/http/server";
import type { GuardedRequest, HttpLimits } from "@verai/system/http/server";
import type { Log } from "../log.ts";
import type { HttpAddress } from "./addresses.ts";

const RAW_TYPE = "application/vnd.ipld.raw";
/** Blocks in memory at a time: at most twice as many MiB. Anyone who asks for more, or twice at once, is told to come again. */
const MAX_OPEN_ANSWERS = 32;
/** Bytes handed to a socket at a time, so that it shows whether the other side reads. */
const SLICE_BYTES = 128 * 1024;
/** An answer of which nothing was read for so long makes room for another one when all places are taken, milliseconds. */
const STALLED_MS = 1_000;

/** What bounds the port on which blocks are served. */
const LIMITS: HttpLimits = {
  maxConnections: 512,
  headerBytes: 8 * 1024,
  headersMs: 5_000,
  idleMs: 30_000,
  stallMs: 10_000,
  // For a whole answer, so that nobody holds a block in memory by reading it drop by drop.
  answerMs: 60_000,
  pipelined: 16,
  // A fast line takes some 400 blocks a second.
  perSecond: 2_000,
  burst: 4_000,
};

/** An answer under way. */
interface OpenAnswer {
  readonly address: string;
  readonly response: ServerResponse;
  /** When the other side last took something, milliseconds. */
  movedAt: number;
}

/** Reads a verified block, or throws {@link BlockNotFoundError}. */
export type ServeBlock = (cid: CID) => Promise<Uint8Array>;

/** Whether a request with this `authorization` header may have a block. */
export type AdmitHeader = (header: string | undefined, cid: CID) => boolean;

/**
 * Serves single blocks over HTTP as a trustless gateway does: `GET` and `HEAD /ipfs/<cid>?format=raw`. Only blocks that
 * are here and whole; 404 at once for all others. Where access is controlled, 401 for whatever was not granted, be it here or not.
 */
export class BlockServer {
  readonly #read: ServeBlock;
  readonly #log: Log;
  readonly #admit: AdmitHeader | undefined;
  readonly #server: Server;
  /** Connections that are being answered with a block. */
  readonly #open = new Map<Socket, OpenAnswer>();

  /**
   * @param limits - bounds that differ from the usual ones
   * @param admit - left out: anyone who asks is served
   */
  constructor(read: ServeBlock, log: Log, limits: Partial<HttpLimits> = {}, admit?: AdmitHeader) {
    this.#read = read;
    this.#admit = admit;
    this.#log = log;
    this.#server = createGuardedServer(
      { ...LIMITS, ...limits },
      (request) => this.#handle(request),
      (error) => {
        this.#log.error({ err: error }, "A request for a block failed");
      },
    );
  }

  /**
   * Begins to serve.
   *
   * @returns the port, which is another one than asked for if that was 0.
   * @throws {@link CheckpointError} `LISTEN_FAILED`
   */
  async start({ host, port }: HttpAddress): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#server.once("error", reject);
    this.#server.listen({ host, port }, () => {
      resolve(undefined);
    });
    try {
      await promise;
    } catch (error) {
      throw new CheckpointError(
        "LISTEN_FAILED",
        `Cannot serve blocks over HTTP on ${host}, port ${port}: choose a free port (0 for any) of an address of this machine`,
        { cause: error },
      );
    }
    this.#server.off("error", reject);
    this.#server.on("error", (error) => {
      this.#log.error({ err: error }, "The HTTP server of blocks has a problem");
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle({ request, response, socket, path, query }: GuardedRequest): Promise<void> {
    const cid = accept(request, response, path, query);
    if (cid === undefined) return;
    if (this.#admit?.(request.headers.authorization, cid) === false) {
      refuse(response, 401, "ask for access first, over libp2p: /drmp/access/1");
      return;
    }
    if (this.#open.has(socket) || !this.#makeRoom(socket.remoteAddress ?? "")) {
      response.setHeader("retry-after", "1");
      refuse(response, 503, "too many requests are open: ask again in a second");
      return;
    }
    const answer: OpenAnswer = { address: socket.remoteAddress ?? "", response, movedAt: performance.now() };
    this.#open.set(socket, answer);
    // A place is free again once the connection's answer is over and the block is no longer being read: a peer that asks and
    // leaves at once, again and again, would else have any number of blocks read.
    let left = 2;
    const leave = (): void => {
      left -= 1;
      if (left === 0 && this.#open.get(socket) === answer) this.#open.delete(socket);
    };
    response.once("close", leave);
    try {
      const bytes = await this.#read(cid);
      answer.movedAt = performance.now();
      response.writeHead(200, {
        "content-type": RAW_TYPE,
        "content-length": bytes.byteLength,
        "cache-control": this.#admit ? "private, no-store" : "public, max-age=29030400, immutable",
        "content-disposition": `attachment; filename="${cid.toString()}.bin"`,
        "x-content-type-options": "nosniff",
        etag: `"${cid.toString()}.raw"`,
      });
      if (request.method !== "HEAD") await send(answer, bytes);
      // Only what the system has taken is no longer read.
      response.once("finish", () => {
        if (!socket.destroyed) free(bytes);
      });
      response.end();
    } catch (error) {
      if (error instanceof BlockNotFoundError) {
        refuse(response, 404, "no such block here");
        return;
      }
      this.#log.error({ cid: cid.toString(), err: error }, "A block can't be served");
      refuse(response, 500, "the block can't be read");
    } finally {
      leave();
    }
  }

  /**
   * A place for an answer, if need be that of one which nobody reads. An address that holds half of the places already gets
   * no more while only a quarter is left.
   */
  #makeRoom(address: string): boolean {
    const answers = [...this.#open];
    const own = answers.filter(([, answer]) => answer.address === address).length;
    if (answers.length < MAX_OPEN_ANSWERS) {
      return own < MAX_OPEN_ANSWERS / 2 || own === answers.length || answers.length < (3 * MAX_OPEN_ANSWERS) / 4;
    }
    const now = performance.now();
    const [stalled] = answers
      .filter(([, { movedAt }]) => now - movedAt >= STALLED_MS)
      .sort(([, a], [, b]) => a.movedAt - b.movedAt);
    if (stalled === undefined) return false;
    this.#open.delete(stalled[0]);
    stalled[0].destroy();
    return true;
  }
}

/** Sends a block in slices, each when the one before has gone out. Resolves early if the connection ends. */
async function send(answer: OpenAnswer, bytes: Uint8Array): Promise<void> {
  const { response } = answer;
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  for (let at = 0; at < bytes.byteLength && !response.destroyed; at += SLICE_BYTES) {
    if (!response.write(bytes.subarray(at, at + SLICE_BYTES))) {
      await Promise.race([new Promise<void>((resolve) => response.once("drain", resolve)), closed]);
    }
    answer.movedAt = performance.now();
  }
}

/** Answers what is not a request for a block. @returns the block's CID if it is one. */
function accept(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
): CID | undefined {
  const text = /^\/ipfs\/([A-Za-z0-9]{1,128})$/.exec(path)?.[1];
  if (text === undefined) return refuse(response, 404, "ask for /ipfs/<cid>?format=raw");
  const isRaw = query.get("format") === "raw" || request.headers.accept?.includes(RAW_TYPE);
  if (isRaw !== true) return refuse(response, 406, "only single blocks: add ?format=raw");
  try {
    return toCid(text);
  } catch {
    return refuse(response, 400, "no CID with sha2-256 and codec raw or dag-pb");
  }
}
