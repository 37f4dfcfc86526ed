import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** Programs of this machine that a root file system gets, beside Node. */
const PROGRAMS = ["/bin/sh", "/usr/bin/env"];
/** Libraries that native modules ask for beside Node's own: of the C library, which an image has as a whole. */
const OF_NATIVE_MODULES = ["librt.so.1", "libutil.so.1"];
const CA_FILE = "/etc/ssl/certs/ca-certificates.crt";

/**
 * Packs a root file system out of this machine's Node, shell, their libraries and npm, where an image would be pulled if
 * there were a registry. Laid out as the official Node image is.
 *
 * @param add Puts more files into the directory of the root file system before it is packed.
 * @returns Path of the tar file; the caller removes its directory.
 */
export async function packRootFs(add: (root: string) => Promise<void> = () => Promise.resolve()): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "drmp-rootfs-"));
  const root = join(directory, "root");
  for (const path of ["bin", "etc", "tmp", "usr/bin", "usr/local/bin", "usr/local/lib/node_modules"]) {
    await mkdir(join(root, path), { recursive: true });
  }
  await chmod(join(root, "tmp"), 0o1777);
  await copyFile(process.execPath, join(root, "usr/local/bin/node"));
  for (const program of PROGRAMS) await copyFile(await realpath(program), join(root, program));
  const libraries = [process.execPath, ...PROGRAMS].flatMap(librariesOf);
  const ofC = dirname(libraries.find((library) => basename(library) === "libc.so.6") ?? "/lib");
  const more = OF_NATIVE_MODULES.map((name) => join(ofC, name)).filter((library) => existsSync(library));
  for (const library of new Set([...libraries, ...more])) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(await realpath(library), join(root, library));
  }
  await writeFile(join(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\nnode:x:1000:\n");
  if (existsSync(CA_FILE)) {
    await mkdir(join(root, dirname(CA_FILE)), { recursive: true });
    await copyFile(CA_FILE, join(root, CA_FILE));
  }
  const npm = npmDirectory();
  if (npm !== undefined) {
    await cp(npm, join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
    await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
  }
  await add(root);
  const tar = join(directory, "root.tar");
  run("tar", ["--create", "--file", tar, "--directory", root, "--owner=0", "--group=0", "--numeric-owner", "."]);
  await rm(root, { recursive: true, force: true });
  return tar;
}

/** Removes what {@link packRootFs} has made. */
export async function removeRootFs(tar: string): Promise<void> {
  await rm(dirname(tar), { recursive: true, force: true });
}

function librariesOf(program: string): string[] {
  return [...run("ldd", [program]).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? "");
}

function npmDirectory(): string | undefined {
  const { stdout } = spawnSync("npm", ["root", "--global"], { encoding: "utf8" });
  const candidates = [join(stdout.trim(), "npm"), "/usr/lib/node_modules/npm", "/usr/local/lib/node_modules/npm"];
  return candidates.find((path) => basename(path) === "npm" && existsSync(join(path, "bin", "npm-cli.js")));
}

function run(program: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}
