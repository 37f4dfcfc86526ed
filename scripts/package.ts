/**
 * Builds the package that others build on: `packages/drmp`, compiled into its `dist`.
 *
 *     npm run package        writes packages/drmp/dist; `npm publish --workspace @verai/drmp` builds and publishes it
 */
import { join } from "node:path";

import { buildPackage } from "./package/build.ts";

const count = await buildPackage(join(import.meta.dirname, ".."));
process.stdout.write(`packages/drmp/dist: ${String(count)} files\n`);
