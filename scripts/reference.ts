/**
 * Writes the generated pages of docs/reference from the code: `npm run docs:reference`. With `--check` it writes nothing and
 * ends with 1 if a page is out of date.
 */
import { readFileSync, writeFileSync } from "node:fs";

import { EXIT, programOf } from "@verai/process/program";
import { PAGES } from "./reference/pages.ts";

const { check } = programOf("reference", "Writes the generated pages of docs/reference from the code")
  .option("--check", "write nothing, and fail if a page is out of date", false)
  .parse()
  .opts<{ check: boolean }>();
for (const [file, make] of PAGES) {
  const text = make();
  if (text === readFileSync(file, { encoding: "utf8", flag: "a+" })) continue;
  if (check) {
    console.error(`${file} is out of date: run npm run docs:reference`);
    process.exitCode = EXIT.failed;
  } else {
    writeFileSync(file, text);
    console.log(`${file} written`);
  }
}
