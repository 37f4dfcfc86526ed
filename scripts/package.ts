/**
 * Builds the package that others build on, @verai/drmp, from packages/drmp.
 *
 *     npm run package        writes .data/package/verai-drmp-<version>.tgz; `npm publish <that file>` publishes it
 */
import { join } from "node:path";

import { buildPackage, packPackage } from "../packages/drmp/build/build.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, ".data", "package");
await buildPackage(root, join(folder, "drmp"));
const { file, bytes } = await packPackage(join(folder, "drmp"), folder);
process.stdout.write(`${file}: ${String(bytes)} bytes\n`);
