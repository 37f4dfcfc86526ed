/**
 * Writes what programs need of the contracts into packages/client (`abi/`, `typed-abi/`, `generated/`), from what the compiler made of
 * them: what runs then needs no compiler.
 *
 *     npm run abi        after a change of the contracts; `npm run test:unit` fails until it is done
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { CLIENT, FOLDERS, generated } from "./abi/modules.ts";

const files = await generated();
for (const folder of FOLDERS) {
  mkdirSync(join(CLIENT, folder), { recursive: true });
  for (const name of readdirSync(join(CLIENT, folder))) {
    if (!files.has(`${folder}/${name}`)) rmSync(join(CLIENT, folder, name));
  }
}
for (const [file, text] of files) writeFileSync(join(CLIENT, file), text);
process.stdout.write(`${CLIENT}: ${String(files.size)} files\n`);
