/** Checks that every contract leaves a tenth of EIP-170's limit free: `npm run lint:sizes`, after a build. Ends with 1 if one does not. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { EXIT, programOf } from "@verai/process/program";
import { ROOT } from "./check/files.ts";
import { type BuiltContract, tooLarge } from "./lint/sizes.ts";

programOf("sizes", "Checks that every contract leaves a tenth of EIP-170's limit free").parse();
const artifacts = globSync("artifacts/contracts/**/*.json", { cwd: ROOT });
const contracts = artifacts.map((file) => JSON.parse(readFileSync(join(ROOT, file), "utf8")) as BuiltContract);
const said = contracts.length === 0 ? ["No contract is built: npm run compile"] : tooLarge(contracts);
for (const line of said) console.error(line);
process.exitCode = said.length === 0 ? EXIT.done : EXIT.failed;
