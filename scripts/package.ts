/**
 * Builds the package that others build on, @verai/drmp: compiles packages/drmp into its `dist` and packs it.
 *
 *     npm run package        writes .data/package/verai-drmp-<version>.tgz; `npm publish <that file>` publishes it
 */
import { join } from "node:path";

import { buildPackage, packPackage } from "./package/build.ts";

const root = join(import.meta.dirname, "..");
await buildPackage(root);
const { file, bytes } = await packPackage(root, join(root, ".data", "package"));
process.stdout.write(`${file}: ${String(bytes)} bytes\n`);
