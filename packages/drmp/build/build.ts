import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { CONTRACT_NAMES } from "@verai/client/abi";
import { ABIS, ERRORS_ABI } from "@verai/client/generated/abis";
import { emit } from "./emit.ts";
import { abiIndex, abiModule, abisModule, abiTypes } from "./sources.ts";

/** Modules of packages/drmp that its package.json exports. */
const ENTRIES = ["index", "quote", "ethers"] as const;

/**
 * Builds the published package @verai/drmp from packages/drmp.
 *
 * @param root The repository.
 * @param target Folder to build it in; what it held is lost.
 */
export async function buildPackage(root: string, target: string): Promise<void> {
  const source = join(root, "packages", "drmp");
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
    const place = join(target, "dist", file);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, text);
  }
  const manifest = JSON.parse(await readFile(join(source, "package.json"), "utf8")) as Record<string, unknown>;
  // What it holds of other workspaces is in it.
  delete manifest["devDependencies"];
  await writeFile(join(target, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await copyFile(join(source, "README.md"), join(target, "README.md"));
  await copyFile(join(root, "LICENSE"), join(target, "LICENSE"));
}

/**
 * Packs a package.
 *
 * @param source Folder that {@link buildPackage} has built it in.
 * @param target Folder for the tarball.
 */
export async function packPackage(
  source: string,
  target: string,
): Promise<{ readonly file: string; readonly bytes: number }> {
  await mkdir(target, { recursive: true });
  const args = ["pack", "--json", "--pack-destination", target];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: source });
  const [packed] = JSON.parse(stdout) as readonly { readonly filename: string; readonly size: number }[];
  if (!packed) throw new Error(`npm pack has packed nothing: ${stdout}`);
  return { file: join(target, packed.filename), bytes: packed.size };
}
