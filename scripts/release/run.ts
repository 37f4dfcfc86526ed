import { spawnSync } from "node:child_process";

/** Longest time of one step, milliseconds: images are the slowest. */
const STEP_MS = 3_600_000;

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
  /** Whether its output is shown as it comes, rather than returned. */
  readonly shown?: boolean;
}

/**
 * Runs a program to its end.
 *
 * @returns What it printed.
 * @throws Error with what it said, if it fails.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    input: options.input,
    stdio: options.shown === true ? ["ignore", "inherit", "inherit"] : "pipe",
    encoding: "utf8",
    timeout: STEP_MS,
    maxBuffer: 1 << 26,
  });
  if (status === 0) return stdout ?? "";
  const said = error?.message ?? `${stdout ?? ""}${stderr ?? ""}`.trim();
  throw new Error(`${program} ${args.join(" ")} failed: ${said}`);
}
