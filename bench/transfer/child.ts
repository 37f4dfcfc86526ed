/*
 * One part of a transfer that is measured, in a process of its own so that its memory is its own. Only
 * `processes.ts` starts it, with a job in JSON; it answers by messages to its parent and ends with it. What it loads counts as the
 * transfer's memory, so that it has no command line.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, readFileSync, statSync } from "node:fs";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { finished, pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";

import type { Access } from "@verai/checkpoint-store/access/access";
import { CheckpointStore } from "@verai/checkpoint-store/store";
import { KEY_BYTES, Seal } from "@verai/executor/sealed/seal";
import { decoderOf, sealTree } from "@verai/executor/sealed/tree";
import type { Job, Measured, Served } from "./jobs.ts";

const READ_BYTES = 1024 * 1024;
const CONNECT_MS = 10_000;
/** Grants and codes as between agents; whether a key has a reason is looked up once a minute, beside the transfer. */
const EVERYBODY: Access = { prove: () => Promise.resolve(null), refusal: () => Promise.resolve(undefined) };

/** Any task's key. */
const SEAL = new Seal(Buffer.alloc(KEY_BYTES, 7));

process.on("disconnect", () => process.exit());
process.on("message", () => {
  process.send?.({ peak: peak() });
});
const job = JSON.parse(process.argv[2] ?? "{}") as Job;
process.send?.(await run(job));

async function run(wanted: Job): Promise<Served | Measured> {
  switch (wanted.kind) {
    case "serve-file":
      return { addresses: [await serveFile(wanted.file)] };
    case "serve-store": {
      const { directory, granted } = wanted;
      const store = new CheckpointStore({ directory, ...(granted && { access: EVERYBODY }) });
      await store.start();
      return { addresses: store.multiaddrs() };
    }
    case "sha256":
      return measured(async () => {
        const hash = createHash("sha256");
        for await (const chunk of createReadStream(wanted.file, { highWaterMark: READ_BYTES })) {
          hash.update(chunk as Buffer);
        }
        return hash.digest("hex");
      });
    case "http":
      return measured(() => pullPlainly(wanted.url, wanted.hashing, wanted.file));
    case "add": {
      const store = new CheckpointStore({ directory: wanted.directory });
      await store.start();
      return measured(async () => (await store.addFile(wanted.file)).cid.toString());
    }
    case "seal":
      return measured(async () => {
        await sealTree(wanted.file, wanted.to, SEAL);
        return "";
      });
    case "fetch": {
      const store = new CheckpointStore({
        directory: wanted.directory,
        http: false,
        ...(wanted.granted && { access: EVERYBODY }),
      });
      await store.start();
      store.setPeers(wanted.peers);
      const end = performance.now() + CONNECT_MS;
      while (store.peers().some(({ connected }) => !connected)) {
        if (performance.now() > end) throw new Error("the peers are not reached");
        await delay(10);
      }
      const options = { maxBytes: Infinity, ...(wanted.pin && { pin: "bench" }) };
      if (wanted.sealed === true) {
        const opened = join(wanted.directory, "opened");
        // Fails if a bit is not as it was sealed.
        const opening = { ...options, decoder: decoderOf(SEAL) };
        return measured(async () => (await store.fetchTo(wanted.cid, opened, opening)).cid.toString());
      }
      return measured(async () => (await store.fetch(wanted.cid, options)).cid.toString());
    }
  }
}

async function serveFile(file: string): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-length": statSync(file).size });
    createReadStream(file, { highWaterMark: READ_BYTES }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function pullPlainly(url: string, hashing: boolean, file?: string): Promise<string> {
  const hash = createHash("sha256");
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, resolve).on("error", reject);
  });
  response.on("data", (chunk: Buffer) => {
    if (hashing) hash.update(chunk);
  });
  await (file === undefined ? finished(response) : pipeline(response, createWriteStream(file)));
  return hashing ? hash.digest("hex") : "";
}

async function measured(work: () => Promise<string>): Promise<Measured> {
  const processor = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(processor);
  return { milliseconds, processor: (user + system) / 1000, peak: peak(), result };
}

/** Maximum resident memory that the process ever had, MiB. What getrusage tells includes the parent's at the start. */
function peak(): number {
  const status = process.platform === "linux" ? readFileSync("/proc/self/status", "utf8") : "";
  const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kibibytes) / 1024;
}
