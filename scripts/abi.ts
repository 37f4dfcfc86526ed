/**
 * Writes the contracts' ABIs into packages/client/abi, from what the compiler made of them: what runs then needs no compiler.
 *
 *     npm run abi        after a change of the contracts; `npm run test:unit` fails until it is done
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { CONTRACT_NAMES } from "@verai/client/abi";
import { ROOT } from "@verai/devnet/processes";
import { compiledAbi, formatAbi } from "./abi/compiled.ts";

const folder = join(ROOT, "packages", "client", "abi");
mkdirSync(folder, { recursive: true });
for (const name of CONTRACT_NAMES) writeFileSync(join(folder, `${name}.json`), formatAbi(compiledAbi(name)));
process.stdout.write(`${folder}: ${String(CONTRACT_NAMES.length)} ABIs\n`);
