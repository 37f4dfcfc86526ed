/** Checks that every link of a page leads to a file and a heading that exist: `npm run lint:links`. Ends with 1 if one does not. */
import { execFileSync } from "node:child_process";

import { EXIT, programOf } from "@verai/process/program";
import { ROOT } from "./check/files.ts";
import { deadLinks } from "./lint/links.ts";

programOf("links", "Checks that every link of a page leads to a file and a heading that exist").parse();
const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: ROOT,
  encoding: "utf8",
});
const dead = listed.split("\n").flatMap((page) => (page === "" ? [] : deadLinks(ROOT, page)));
for (const link of dead) console.error(link);
process.exitCode = dead.length === 0 ? EXIT.done : EXIT.failed;
