import { execFile } from "node:child_process";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { CONTRACT_NAMES } from "@verai/client/abi";
import { ABIS, ERRORS_ABI } from "@verai/client/generated/abis";
import { emit } from "./emit.ts";
import { abiIndex, abiModule, abisModule, abiTypes } from "./sources.ts";

/** Modules of packages/drmp that its package.json exports. */
export const ENTRIES = ["index", "quote", "ethers"] as const;

/**
 * Compiles packages/drmp into its `dist`: the published package @verai/drmp.
 */
export async function buildPackage(root: string): Promise<void> {
  const target = join(root, "packages", "drmp", "dist");
  const files = emit(
    root,
    ENTRIES.map((entry) => `packages/drmp/${entry}.ts`),
  );
  const names = [...CONTRACT_NAMES].sort();
  const abis: Readonly<Record<string, readonly object[]>> = { ...ABIS, Errors: ERRORS_ABI };
  for (const [name, abi] of Object.entries(abis)) {
    files.set(`abi/${name}.js`, abiModule(name, abi));
    files.set(`abi/${name}.d.ts`, abiTypes(name, abi));
    files.set(`abi/${name}.json`, `${JSON.stringify(abi)}\n`);
  }
  files.set("abi/index.js", abiIndex([...names, "Errors"]));
  files.set("abi/index.d.ts", abiIndex([...names, "Errors"]));
  files.set("client/generated/abis.js", abisModule(names));

  await rm(target, { recursive: true, force: true });
  for (const [file, text] of files) {
    await mkdir(join(target, dirname(file)), { recursive: true });
    await writeFile(join(target, file), text);
  }
  await copyFile(join(root, "LICENSE"), join(root, "packages", "drmp", "LICENSE"));
}

/** Packs packages/drmp as it was built. @returns The tarball. */
export async function packPackage(
  root: string,
  folder: string,
): Promise<{ readonly file: string; readonly bytes: number }> {
  await mkdir(folder, { recursive: true });
  const args = ["pack", "--json", "--pack-destination", folder];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: join(root, "packages", "drmp") });
  const [packed] = JSON.parse(stdout) as readonly { readonly filename: string; readonly size: number }[];
  if (!packed) throw new Error(`npm pack has packed nothing: ${stdout}`);
  return { file: join(folder, packed.filename), bytes: packed.size };
}
