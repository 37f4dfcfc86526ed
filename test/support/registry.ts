import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

/** An image in a registry. */
export interface ServedImage {
  /** By digest: what a spec names. */
  readonly reference: string;
  readonly digest: string;
}

type Content = Buffer | { readonly file: string; readonly size: number };

/** A registry (OCI distribution, pulling only) on the loopback interface, which engines trust without TLS. */
export class TestRegistry {
  readonly #blobs = new Map<string, { type: string; content: Content }>();
  readonly #server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (this.#users.size > 0 && !this.#users.has(request.headers.authorization ?? "")) {
      this.refused += 1;
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"', "content-type": "application/json" });
      return void response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    }
    if (path === "/v2/") return void response.end("{}");
    const digest = /^\/v2\/.+\/(?:manifests|blobs)\/(sha256:[0-9a-f]{64})$/.exec(path)?.[1];
    const blob = digest === undefined ? undefined : this.#blobs.get(digest);
    if (!blob || digest === undefined) {
      response.writeHead(404, { "content-type": "application/json" });
      return void response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    }
    this.pulled.push(digest);
    const { type, content } = blob;
    const length = Buffer.isBuffer(content) ? content.length : content.size;
    response.writeHead(200, { "content-type": type, "content-length": length, "docker-content-digest": digest });
    if (request.method === "HEAD") return void response.end();
    if (Buffer.isBuffer(content)) return void response.end(content);
    pipeline(createReadStream(content.file), response).catch(() => response.destroy());
  });
  /** Values of the Authorization header that are let in; none: anybody is. */
  readonly #users = new Set<string>();
  /** Requests without them. */
  refused = 0;
  /** Digests that were asked for. */
  readonly pulled: string[] = [];
  #host = "";

  static async start(): Promise<TestRegistry> {
    const registry = new TestRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    registry.#server.unref();
    registry.#host = `127.0.0.1:${(registry.#server.address() as AddressInfo).port}`;
    return registry;
  }

  /** Serves an image of one layer. @param config Of the image, such as its entry point. */
  async add(name: string, layerTar: string, config: object): Promise<ServedImage> {
    const layer = { digest: await digestOf(createReadStream(layerTar)), size: (await stat(layerTar)).size };
    const { digest: layerDigest, size } = layer;
    this.#blobs.set(layerDigest, { type: "application/octet-stream", content: { file: layerTar, size } });
    const image = this.#keep("application/vnd.oci.image.config.v1+json", {
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: [layerDigest] },
    });
    const manifest = this.#keep("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: image,
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layerDigest, size }],
    });
    return { reference: `${this.#host}/${name}:latest@${manifest.digest}`, digest: manifest.digest };
  }

  /** Lets only users in that were named. */
  allow(username: string, password: string): void {
    this.#users.add(`Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(mediaType: string, json: object): { mediaType: string; digest: string; size: number } {
    const content = Buffer.from(JSON.stringify(json));
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    this.#blobs.set(digest, { type: mediaType, content });
    return { mediaType, digest, size: content.length };
  }
}

async function digestOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}
