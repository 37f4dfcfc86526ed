/**
 * Brings about faults of all kinds on real parts, and says which were survived:
 * `npm run faults -- [--quick] [--kind NAME] [--json]`.
 *
 *     --quick    only the cases that need no network of processes and take a few seconds at most
 *     --kind     only the faults of one kind; may be given several times
 *     --list     print the cases and run none
 *     --json     end with one line of JSON on standard output instead of the table
 *
 * Exits with 1 if a fault was not survived.
 */
import { InvalidArgumentError } from "commander";

import { EXIT, interruptible, jsonOption, programOf } from "@verai/process/program";
import { Output, table } from "@verai/devnet/output";
import { type CaseOutcome, type FaultCase, type FaultKind, runCase } from "@verai/devnet/fault-case";
import { KINDS } from "./faults/kinds.ts";

const names = KINDS.map(({ name }) => name);
const flags = programOf("faults", "Brings about faults of all kinds on real parts, and says which were survived")
  .option("--quick", "only the cases that need no network of processes and take a few seconds at most", false)
  .option("--kind <name>", `only the faults of one kind (${names.join(", ")}); may be given several times`, collect)
  .option("--list", "print the cases and run none", false)
  .addOption(jsonOption("end with one line of JSON on standard output instead of the table"))
  .parse()
  .opts<{ quick: boolean; kind?: string[]; list: boolean; json: boolean }>();

const chosen = KINDS.filter(({ name }) => flags.kind?.includes(name) ?? true);
const casesOf = (kind: FaultKind): readonly FaultCase[] =>
  kind.cases.filter((fault) => !flags.quick || fault.slow !== true);

if (flags.list) {
  for (const kind of chosen) for (const { name } of casesOf(kind)) console.log(`${kind.name}: ${name}`);
  process.exit();
}

const output = new Output();
const interrupted = interruptible((text) => {
  output.say(text);
});
const outcomes: CaseOutcome[] = [];
for (const kind of chosen) {
  const cases = casesOf(kind);
  try {
    for (const [done, fault] of cases.entries()) {
      if (interrupted.aborted) break;
      output.progress(kind.name, done / cases.length, fault.name);
      const outcome = await runCase(kind, fault);
      outcomes.push(outcome);
      if (!outcome.survived) output.say(`NOT SURVIVED  ${kind.name}: ${outcome.name}: ${outcome.failure}`);
    }
    output.progress(kind.name, 1, `${String(cases.length)} cases`);
  } finally {
    await kind.close?.();
  }
}
output.close();

const survived = outcomes.filter((outcome) => outcome.survived).length;
if (flags.json) {
  console.log(JSON.stringify({ tried: outcomes.length, survived, complete: !interrupted.aborted, outcomes }));
} else {
  console.log(table(["kind", "tried", "survived", "what must hold"], rows()));
  for (const { kind, name, failure } of outcomes.filter((outcome) => !outcome.survived)) {
    console.log(`NOT SURVIVED  ${kind}: ${name}: ${failure}`);
  }
}
// Left to the exit code of the signal if interrupted; sockets that a fault holds open must not keep the process.
if (interrupted.aborted) process.exit();
process.exit(survived === outcomes.length && outcomes.length > 0 ? EXIT.done : EXIT.failed);

function rows(): string[][] {
  const counted = chosen.map(({ name, guarantee }) => {
    const own = outcomes.filter(({ kind }) => kind === name);
    return [name, String(own.length), String(own.filter((outcome) => outcome.survived).length), guarantee];
  });
  return [...counted, ["all", String(outcomes.length), String(survived), ""]];
}

function collect(name: string, before: string[] = []): string[] {
  if (!names.includes(name)) throw new InvalidArgumentError(`no such kind; there are ${names.join(", ")}`);
  return [...before, name];
}
