import type { Environment } from "../session/environment.ts";
import { parseFile, runService } from "../session/programs.ts";

/** Runs the keepers. */
export async function run(
  { file, dryRun }: { readonly file: string; readonly dryRun: boolean },
  environment: Environment,
): Promise<void> {
  await keepers(environment, "run", file, dryRun ? ["--dry-run"] : []);
}

/** Shows what the keepers would do. */
export async function plan({ file }: { readonly file: string }, environment: Environment): Promise<void> {
  await keepers(environment, "plan", file);
}

/** Checks a keeper's configuration. */
export async function check(
  { file, json }: { readonly file: string; readonly json: boolean },
  environment: Environment,
): Promise<void> {
  await keepers(environment, "check", file, json ? ["--json"] : []);
}

async function keepers(environment: Environment, verb: string, file: string, more: readonly string[] = []) {
  await runService(environment, "keepers", [verb, "--config", parseFile(file, "keeper"), ...more]);
}
