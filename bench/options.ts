import { type Command, InvalidArgumentError } from "commander";

import { jsonOption, programOf } from "@verai/process/program";

export { wholeNumber } from "@verai/process/program";

/** What all measurements can be asked for. */
export interface BenchFlags {
  readonly quick: boolean;
  readonly json: boolean;
  readonly write: boolean;
}

/**
 * A measurement's command line: `--quick`, `--json`, `--write` and `--help`; an unknown option is refused.
 *
 * @param name Of the npm script, such as `bench:gas`.
 * @param quick What it leaves out when it is to be quick.
 */
export function benchCommand(name: string, about: string, quick: string): Command {
  return programOf(name, about)
    .usage("[options]   (by npm: npm run " + name + " -- [options])")
    .option("--quick", quick, false)
    .addOption(jsonOption("print JSON instead of tables"))
    .option("--write", "put tables and charts into docs/", false);
}

/** An option's value that must be a number above 0, kept as it was written. */
export function positive(text: string): string {
  if (/^\d*\.?\d+$/.test(text) && Number(text) > 0) return text;
  throw new InvalidArgumentError("It must be a number above 0, such as 0.5.");
}
