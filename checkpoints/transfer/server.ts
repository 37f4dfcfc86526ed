import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

import type { CID } from "multiformats/cid";

import { BlockNotFoundError } from "../blocks.ts";
import { toCid } from "../cids.ts";
import { CheckpointError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { HttpAddress } from "./addresses.ts";

const RAW_TYPE = "application/vnd.ipld.raw";
/** Blocks in memory at a time: at most twice as many MiB. Who asks for more, or twice at once, is told to come again. */
const MAX_OPEN_ANSWERS = 32;
const MAX_CONNECTIONS = 512;
const HEADERS_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 30_000;
/** Without a byte moving in the middle of an answer. */
const STALL_TIMEOUT_MS = 10_000;
/** For a whole answer, so that nobody holds a block in memory by reading it drop by drop. */
const ANSWER_TIMEOUT_MS = 60_000;
const MAX_HEADER_BYTES = 8 * 1024;

/** Reads a verified block, or throws {@link BlockNotFoundError}. */
export type ServeBlock = (cid: CID) => Promise<Uint8Array>;

/**
 * Serves single blocks over HTTP as a trustless gateway does: `GET` and `HEAD /ipfs/<cid>?format=raw`. Only blocks that
 * are here and whole; 404 at once for all others.
 */
export class BlockServer {
  readonly #read: ServeBlock;
  readonly #log: Log;
  readonly #server: Server;
  /** Connections that are being answered. */
  readonly #open = new Set<Socket>();

  constructor(read: ServeBlock, log: Log) {
    this.#read = read;
    this.#log = log;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: HEADERS_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        noDelay: true,
      },
      (request, response) => {
        void this.#handle(request, response);
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
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
        `Can't serve blocks over HTTP on ${host}, port ${port}: choose a free port (0 for any) of an address of this machine`,
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

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cid = this.#accept(request, response);
    if (cid === undefined) return;
    const { socket } = request;
    if (this.#open.size >= MAX_OPEN_ANSWERS || this.#open.has(socket)) {
      response.setHeader("retry-after", "1");
      refuse(response, 503, "too many requests are open: ask again in a second");
      return;
    }
    this.#open.add(socket);
    const timer = setTimeout(() => response.destroy(), ANSWER_TIMEOUT_MS);
    response.setTimeout(STALL_TIMEOUT_MS, () => response.destroy());
    response.once("close", () => {
      clearTimeout(timer);
      this.#open.delete(socket);
    });
    try {
      const bytes = await this.#read(cid);
      response.writeHead(200, {
        "content-type": RAW_TYPE,
        "content-length": bytes.byteLength,
        "cache-control": "public, max-age=29030400, immutable",
        "content-disposition": `attachment; filename="${cid.toString()}.bin"`,
        "x-content-type-options": "nosniff",
        etag: `"${cid.toString()}.raw"`,
      });
      response.end(request.method === "HEAD" ? undefined : bytes);
    } catch (error) {
      if (error instanceof BlockNotFoundError) {
        refuse(response, 404, "no such block here");
        return;
      }
      this.#log.error({ cid: cid.toString(), err: error }, "A block can't be served");
      refuse(response, 500, "the block can't be read");
    }
  }

  /** Answers what is not a proper request for a block. @returns the block's CID if it is one. */
  #accept(request: IncomingMessage, response: ServerResponse): CID | undefined {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return refuse(response, 405, "only GET and HEAD");
    }
    if (request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0) {
      response.setHeader("connection", "close");
      return refuse(response, 400, "a request for a block has no body");
    }
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    const text = /^\/ipfs\/([A-Za-z0-9]{1,128})$/.exec(path)?.[1];
    if (text === undefined) return refuse(response, 404, "ask for /ipfs/<cid>?format=raw");
    const isRaw = new URLSearchParams(query).get("format") === "raw" || request.headers.accept?.includes(RAW_TYPE);
    if (isRaw !== true) return refuse(response, 406, "only single blocks: add ?format=raw");
    try {
      return toCid(text);
    } catch {
      return refuse(response, 400, "no CID with sha2-256 and codec raw or dag-pb");
    }
  }
}

function refuse(response: ServerResponse, status: number, why: string): undefined {
  response.writeHead(status, { "content-type": "text/plain", "content-length": Buffer.byteLength(why) + 1 });
  response.end(`${why}\n`);
}
