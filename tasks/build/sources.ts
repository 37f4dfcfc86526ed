import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What a build depends on beside the sources: compiler, settings, libraries, and how artifacts are made. */
const SETTINGS = ["hardhat.config.ts", "package-lock.json", "remappings.txt", "tasks/complete-build-infos.ts"];

/** Solidity files below these directories and {@link SETTINGS}, as paths from the root with `/`, sorted. */
export async function listSources(root: string, directories: readonly string[]): Promise<string[]> {
  const found = [...SETTINGS];
  for (const directory of directories) {
    const entries = await readdir(join(root, directory), { recursive: true });
    found.push(
      ...entries.filter((name) => name.endsWith(".sol")).map((name) => `${directory}/${name.replaceAll("\\", "/")}`),
    );
  }
  return found.sort();
}

/** SHA-256 over names and contents. */
export async function hashOf(root: string, files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) {
    const content = await readFile(join(root, file));
    hash.update(`${file}\n${String(content.length)}\n`).update(content);
  }
  return hash.digest("hex");
}
