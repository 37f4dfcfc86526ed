import { createHash } from "node:crypto";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The repository, the workspace, and where the built application is. */
const ROOT = join(import.meta.dirname, "../..");
const WEB = join(ROOT, "web");
export const DIST = join(WEB, "dist");

/** What the application is made of. */
const SOURCES = [
  "package-lock.json",
  "web/{index.html,vite.config.ts}",
  "web/{src,public}/**/*.*",
  "packages/{checkpoint-store,client,errors,executor,protocol,system}/**/*.{ts,json}",
];
/** Builds the application from its sources, unless it has been built of these; the same sources give the same bytes. */
export async function buildSite(outDir = DIST): Promise<void> {
  const stamp = join(outDir, ".sources");
  const sources = digestOfSources();
  if (read(stamp) === sources) return;
  // Only here: who serves what was built needs no bundler.
  const { build } = await import("vite");
  await build({
    root: WEB,
    configFile: join(WEB, "vite.config.ts"),
    logLevel: "error",
    build: { outDir, emptyOutDir: true },
  });
  // Beside the application: of which sources it was built.
  writeFileSync(stamp, sources);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function digestOfSources(): string {
  const hash = createHash("sha256");
  const files = globSync(SOURCES, { cwd: ROOT, exclude: (name) => name.includes("node_modules") });
  for (const file of files.sort()) hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}
