import { execFile } from "node:child_process";
import { cp, mkdir, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { ROOT } from "@verai/devnet/processes";

const run = promisify(execFile);

/** Commits that are looked at, newest first. */
const LOOK_BACK = 400;
/** What of a commit has to be as it is now, and what makes it another version: programs that write data directories. */
const SAME = ["contracts", "packages/client/generated"] as const;
const CODE = ["agent", "packages"] as const;

/** What trainers read: they run under Node's permission model, which lets nobody through a link to elsewhere. */
const COPIED: readonly string[] = ["mnist"];

/** A commit by the hashes of its trees. */
export interface Candidate {
  readonly commit: string;
  /** Of {@link SAME}, together. */
  readonly contracts: string;
  /** Of {@link CODE}, together. */
  readonly code: string;
}

/**
 * The version that agents are upgraded from: of the commits in a row that have today's contracts, the oldest with another code. Undefined if
 * there is none, as in a clone without history. Pure; O(commits).
 *
 * @param candidates Newest first; the first is today's.
 */
export function pickPrevious([now, ...before]: readonly Candidate[]): string | undefined {
  const until = before.findIndex(({ contracts }) => contracts !== now?.contracts);
  const compatible = until < 0 ? before : before.slice(0, until);
  return compatible.findLast(({ code }) => code !== now?.code)?.commit;
}

/** The commit of the version before, see {@link pickPrevious}. */
export async function previousVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run("git", ["log", "--first-parent", `-${String(LOOK_BACK)}`, "--format=%H"], {
      cwd: ROOT,
    });
    const candidates: Candidate[] = [];
    for (const commit of stdout.trim().split("\n")) {
      const of = async (paths: readonly string[]): Promise<string> =>
        (await run("git", ["rev-parse", ...paths.map((path) => `${commit}:${path}`)], { cwd: ROOT })).stdout.trim();
      candidates.push({ commit, contracts: await of(SAME), code: await of(CODE) });
      if (candidates[0]?.contracts !== candidates.at(-1)?.contracts) break;
    }
    return pickPrevious(candidates);
  } catch {
    // No repository, or a commit from before these folders.
    return undefined;
  }
}

/** Puts a commit's programs into a folder, with today's dependencies beside them. */
export async function checkOut(commit: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const archive = join(folder, "tree.tar");
  await run("git", ["archive", "--output", archive, commit, "agent", "packages", "package.json"], { cwd: ROOT });
  await run("tar", ["-xf", archive, "-C", folder]);
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
