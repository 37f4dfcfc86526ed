/** What a unit finds inside of its container, the same in every engine. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { EXCHANGE_DIRECTORIES } from "./exchange.ts";
import type { UnitFolder } from "./executor.ts";
import type { TaskSpec } from "./spec.ts";

/** Where the workload has its directories. */
export const INSIDE = {
  checkpoint: "/verai/checkpoint",
  input: "/verai/input",
  output: "/verai/output",
  exchange: "/verai/exchange",
} as const;

/** Directories that a unit has inside, by their place below its folder: what exchanges nothing gets no directory for it. */
export function insideDirectories(
  spec: Pick<TaskSpec, "exchange">,
): { path: string; target: string; readOnly: boolean }[] {
  const all = [
    { path: "checkpoint", target: INSIDE.checkpoint, readOnly: false },
    { path: "input", target: INSIDE.input, readOnly: true },
    { path: "output", target: INSIDE.output, readOnly: false },
  ];
  if (spec.exchange === undefined) return all;
  return [
    ...all,
    // Only the agent writes there: a program could put links in its way.
    { path: "exchange/in", target: `${INSIDE.exchange}/in`, readOnly: true },
    { path: "exchange/out", target: `${INSIDE.exchange}/out`, readOnly: false },
  ];
}

/** Permissions that keep other users of the machine out: a unit's folder has them, and so nobody passes to what is shown below. */
const OWN = 0o700;

/**
 * Lets a program read what its agent has laid before it. What an agent writes is its own user's alone (its umask is 077), and so is the
 * unit's folder above, whatever the umask; the program may run as another user, who sees no more of it than what is shown.
 */
export async function show(path: string, kind: "file" | "directory"): Promise<void> {
  await chmod(path, kind === "file" ? 0o644 : 0o755);
}

/** Makes the directories of a unit's folder that are missing, before anything runs. */
export async function makeDirectories(folder: UnitFolder, spec: Pick<TaskSpec, "exchange">): Promise<void> {
  await mkdir(folder.root, { recursive: true, mode: OWN });
  // One that is there already may be of another umask.
  await chmod(folder.root, OWN);
  const paths = [folder.checkpoint, folder.input, folder.output];
  if (spec.exchange !== undefined) paths.push(...EXCHANGE_DIRECTORIES.map((name) => join(folder.exchange, name)));
  for (const path of paths) await mkdir(path, { recursive: true });
  if (spec.exchange !== undefined) await show(join(folder.exchange, "in"), "directory");
}

/** Directories of a unit's folder that its program writes to. */
export function writtenDirectories(folder: UnitFolder, spec: Pick<TaskSpec, "exchange">): string[] {
  return [folder.checkpoint, folder.output, ...(spec.exchange === undefined ? [] : [join(folder.exchange, "out")])];
}

/** Scratch space, which is also the user's home: programs may be run from it. */
export const SCRATCH = "/tmp";

/** Name of the user that programs run as, and of their host. */
export const NAME = "unit";

/** Variables by which libraries learn how many threads to start. Without them it is one for each CPU of the machine. */
const THREADS = [
  "OMP_NUM_THREADS",
  "MKL_NUM_THREADS",
  "OPENBLAS_NUM_THREADS",
  "NUMEXPR_MAX_THREADS",
  "RAYON_NUM_THREADS",
  "PYTHON_CPU_COUNT",
] as const;

/**
 * Variables that a spec may set otherwise: a home and caches on the scratch space, as the image is read-only; a user's
 * name; as many threads as the unit has CPUs; lines that reach the log as they are printed.
 *
 * @param cpus CPUs of the unit.
 */
export function usualVariables(cpus: number): Record<string, string> {
  const threads = String(Math.max(1, Math.floor(cpus)));
  return {
    HOME: SCRATCH,
    TMPDIR: SCRATCH,
    XDG_CACHE_HOME: `${SCRATCH}/.cache`,
    USER: NAME,
    LOGNAME: NAME,
    PYTHONUNBUFFERED: "1",
    ...Object.fromEntries(THREADS.map((name) => [name, threads])),
  };
}

/** Files that give the user a name, by where they are inside. */
export const ACCOUNT_FILES = { passwd: "/etc/passwd", group: "/etc/group" } as const;

/** Directory of a unit's folder that holds {@link ACCOUNT_FILES}. */
export const ACCOUNTS = "accounts";

/** Content of the account files: root, nobody, and the user that programs run as. */
export function accounts(uid: number, gid: number): Record<keyof typeof ACCOUNT_FILES, string> {
  const users = [
    "root:x:0:0:root:/root:/sbin/nologin",
    "nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin",
    ...(uid === 65534 ? [] : [`${NAME}:x:${String(uid)}:${String(gid)}:${NAME}:${SCRATCH}:/bin/sh`]),
  ];
  const groups = ["root:x:0:", "nogroup:x:65534:", ...(gid === 65534 ? [] : [`${NAME}:x:${String(gid)}:`])];
  return { passwd: `${users.join("\n")}\n`, group: `${groups.join("\n")}\n` };
}

/** Writes the account files into a unit's folder. */
export async function writeAccounts({ root }: Pick<UnitFolder, "root">, uid: number, gid: number): Promise<void> {
  const directory = join(root, ACCOUNTS);
  await mkdir(directory, { recursive: true });
  const files = Object.entries(accounts(uid, gid));
  for (const [name, content] of files) {
    await writeFile(join(directory, name), content);
    await show(join(directory, name), "file");
  }
}
