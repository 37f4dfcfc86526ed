/**
 * Builds the package that others build on: every contract's ABI as a typed constant, and the addresses of every
 * deployment that this repository knows.
 *
 *     npm run package        writes .data/package; `npm publish .data/package` publishes it
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { abiOf, CONTRACT_NAMES } from "@verai/client/abi";
import { ROOT } from "@verai/devnet/processes";
import { deployments } from "./package/deployments.ts";
import { moduleOf, typesOf } from "./package/sources.ts";
import manifest from "../package.json" with { type: "json" };

const target = join(ROOT, ".data", "package");
const abis = Object.fromEntries(CONTRACT_NAMES.map((name) => [name, abiOf(name)]));
const addresses = await deployments();

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
await writeFile(join(target, "index.js"), moduleOf(abis, addresses));
await writeFile(join(target, "index.d.ts"), typesOf(abis, addresses));
await writeFile(
  join(target, "package.json"),
  `${JSON.stringify(
    {
      name: `${manifest.name}-contracts`,
      version: manifest.version,
      description: "ABIs and addresses of the DRMP contracts, typed",
      license: manifest.license,
      type: "module",
      exports: { ".": { types: "./index.d.ts", default: "./index.js" } },
      sideEffects: false,
    },
    null,
    2,
  )}\n`,
);
process.stdout.write(
  `${target}: ${String(CONTRACT_NAMES.length)} ABIs, addresses on ${String(Object.keys(addresses).length)} chains\n`,
);
