/** What a unit finds inside of its container, the same in every engine. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { UnitFolder } from "./executor.ts";

/** Where the workload has its directories. */
export const INSIDE = { checkpoint: "/verai/checkpoint", input: "/verai/input", output: "/verai/output" } as const;

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
  for (const [name, content] of files) await writeFile(join(directory, name), content, { mode: 0o644 });
}
