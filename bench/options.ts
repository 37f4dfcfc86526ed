import { Command, InvalidArgumentError } from "commander";

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
  return new Command(name)
    .description(about)
    .usage("[options]   (by npm: npm run " + name + " -- [options])")
    .option("--quick", quick, false)
    .option("--json", "print JSON instead of tables", false)
    .option("--write", "put tables and charts into docs/", false)
    .allowExcessArguments(false)
    .showHelpAfterError("--help lists the options");
}

/** An option's value that must be a whole number from 0 on. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be a whole number, such as 7.");
}

/** An option's value that must be a number above 0, kept as it was written. */
export function positive(text: string): string {
  if (/^\d*\.?\d+$/.test(text) && Number(text) > 0) return text;
  throw new InvalidArgumentError("It must be a number above 0, such as 0.5.");
}
