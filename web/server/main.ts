/**
 * Builds the web application and serves it, or writes it for another host.
 *
 *     node web/server/main.ts                                  the devnet of this machine
 *     node web/server/main.ts --config web.json                another network
 *     node web/server/main.ts --config web.json --write site   files for any host, or for IPFS
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { findDevnet } from "@verai/client/devnet";
import { interruptible, programOf, runProgram, wholeNumber } from "@verai/process/program";
import { buildSite, DIST } from "./build.ts";
import { devnetSite } from "./devnet-site.ts";
import { serveSite } from "./serve.ts";
import { filesOf, readSite, type Site } from "./site.ts";

interface Options {
  readonly config?: string;
  readonly host: string;
  readonly port: number;
  readonly write?: string;
  readonly build: boolean;
}

const program = programOf("web", "Builds the web application and serves it")
  .option("--config <file>", "of which network it is (JSON); the devnet of this machine unless given")
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .option("--port <number>", "port to listen on", wholeNumber(0, 65_535), 8600)
  .option("--write <folder>", "write the files there, for any host or IPFS, and serve nothing")
  .option("--no-build", "take what was built before")
  .action(run);

await runProgram(program);

async function run({ config, host, port, write, build }: Options): Promise<void> {
  const site = await siteOf(config);
  if (build) await buildSite();
  if (write !== undefined) {
    for (const [path, body] of filesOf(DIST, site)) {
      await mkdir(dirname(join(write, path)), { recursive: true });
      await writeFile(join(write, path), body);
    }
    process.stdout.write(`${write} holds the application for ${site.network}.\n`);
    return;
  }
  const served = await serveSite(DIST, site, { host, port });
  process.stdout.write(`The application for ${site.network} is at ${served.url}\n`);
  const signal = interruptible(() => undefined);
  await new Promise((resolve) => {
    signal.addEventListener("abort", resolve);
  });
  await served.close();
  process.exit();
}

async function siteOf(file: string | undefined): Promise<Site> {
  if (file !== undefined) return readSite(file);
  const devnet = findDevnet();
  if (!devnet)
    throw new Error(
      "No devnet runs on this machine: start one with `scripts/drmp devnet`, or name a network with --config.",
    );
  return devnetSite(devnet);
}
