/**
 * Checks that every link of a page leads to a file and a heading that exist, and that the
 * index of the documentation links every page: `npm run lint:links`. Ends with 1 if not.
 */
import { execFileSync } from "node:child_process";

import { EXIT, programOf } from "@verai/process/program";
import { ROOT } from "./check/files.ts";
import { deadLinks, unlistedPages } from "./lint/links.ts";

programOf("links", "Checks that every link of a page leads to a file and a heading that exist").parse();
const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: ROOT,
  encoding: "utf8",
});
const pages = listed.split("\n").filter((page) => page !== "");
const dead = [...pages.flatMap((page) => deadLinks(ROOT, page)), ...unlistedPages(ROOT, pages)];
for (const link of dead) console.error(link);
process.exitCode = dead.length === 0 ? EXIT.done : EXIT.failed;
