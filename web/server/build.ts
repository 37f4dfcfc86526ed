import { join } from "node:path";

import { build } from "vite";

/** The workspace, and where the built application is. */
const WEB = join(import.meta.dirname, "..");
export const DIST = join(WEB, "dist");

/** Builds the application from its sources; the same sources give the same bytes. */
export async function buildSite(outDir = DIST): Promise<void> {
  await build({
    root: WEB,
    configFile: join(WEB, "vite.config.ts"),
    logLevel: "error",
    build: { outDir, emptyOutDir: true },
  });
}
