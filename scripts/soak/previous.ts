import { execFile } from "node:child_process";
import { cp, mkdir, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { ROOT } from "@verai/devnet/processes";
import { messageOf } from "@verai/process/program";

const run = promisify(execFile);

/** What has to be as it is now, and what makes it another version: programs that write data directories. */
const SAME = ["contracts", "packages/client/generated"] as const;
const CODE = ["agent", "packages"] as const;
/** What the programs of a version cannot do without. */
const ENTRY = "agent/main.ts";

/** Milliseconds that Git may take for an answer, and that a tree may take to be written or unpacked. */
const GIT_MS = 30_000;
const TREE_MS = 120_000;

/** What trainers read: they run under Node's permission model, which lets nobody through a link to elsewhere. */
const COPIED: readonly string[] = ["mnist"];

/** The version that agents are upgraded from, or why there is none. */
export type Previous = { readonly commit: string } | { readonly reason: string };

/**
 * The oldest commit with today's contracts: the one that changed them last. A version of before could not read these. None, if agents have
 * been the same since then, as in a clone without history.
 *
 * @param root Folder of the repository.
 */
export async function previousVersion(root = ROOT): Promise<Previous> {
  const git = async (...args: string[]): Promise<string> =>
    (await run("git", args, { cwd: root, timeout: GIT_MS })).stdout.trim();
  try {
    const commit = await git("log", "--first-parent", "--max-count=1", "--format=%H", "--", ...SAME);
    if (commit === "") return { reason: "no commit has these contracts" };
    if ((await git("diff", "--name-only", commit, "--", ...CODE)) === "") {
      const isShallow = (await git("rev-parse", "--is-shallow-repository")) === "true";
      return {
        reason: isShallow
          ? "this clone has too little history: fetch the rest with git fetch --unshallow"
          : `nothing of agents has changed since ${commit} changed the contracts`,
      };
    }
    if ((await git("ls-tree", "--name-only", commit, "--", ENTRY)) === "")
      return { reason: `${commit} has no ${ENTRY}` };
    return { commit };
  } catch (error) {
    return { reason: `Git gives no history: ${messageOf(error)}` };
  }
}

/** Puts a commit's programs into a folder, with today's dependencies beside them. */
export async function checkOut(commit: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const archive = join(folder, "tree.tar");
  await run("git", ["archive", "--output", archive, commit, "agent", "packages", "package.json"], {
    cwd: ROOT,
    timeout: TREE_MS,
  });
  await run("tar", ["-xf", archive, "-C", folder], { timeout: TREE_MS });
  await rm(archive);
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "@verai"), { recursive: true });
  for (const name of await readdir(join(ROOT, "node_modules"))) {
    if (name === "@verai" || COPIED.includes(name)) continue;
    await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  for (const name of COPIED) await cp(join(ROOT, "node_modules", name), join(modules, name), { recursive: true });
  for (const name of await readdir(join(folder, "packages"))) {
    await symlink(join(folder, "packages", name), join(modules, "@verai", name));
  }
  await symlink(join(folder, "agent"), join(modules, "@verai", "agent"));
}
