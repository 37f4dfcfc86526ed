import type { Finding } from "./slither.ts";

/** Why findings are no faults; `scripts/static/triage.json`. */
export interface Triage {
  /** Who is called, by how the source names it, and why a call there opens no door. */
  readonly receivers: Readonly<Record<string, string>>;
  /** Detectors whose findings are about such calls. */
  readonly aboutCalls: readonly string[];
  /** Whole detectors, or those of their findings whose text matches. */
  readonly kinds: readonly { readonly check: string; readonly text?: string; readonly why: string }[];
  /** Findings one by one, by detector and place: `reentrancy-no-eth Vault.payBounty(address,uint256)`. */
  readonly findings: Readonly<Record<string, string>>;
}

/** What is left to mend, or to argue. */
export interface Verdict {
  readonly open: readonly { readonly finding: Finding; readonly why: string }[];
  /** Arguments that no longer argue anything. */
  readonly stale: readonly string[];
}

/** By which a finding is argued alone. */
export function keyOf({ check, where }: Finding): string {
  return `${check} ${where}`;
}

/** Holds findings against the arguments. Pure; O(findings × kinds). */
export function judge(
  findings: readonly Finding[],
  { receivers, aboutCalls, kinds, findings: single }: Triage,
): Verdict {
  const used = new Set<string>();
  const open: { finding: Finding; why: string }[] = [];
  for (const finding of findings) {
    const key = keyOf(finding);
    if (Object.hasOwn(single, key)) {
      used.add(key);
      continue;
    }
    const kind = kinds.find(
      ({ check, text }) => check === finding.check && (!text || new RegExp(text).test(finding.text)),
    );
    if (kind) {
      used.add(nameOf(kind));
      continue;
    }
    if (!aboutCalls.includes(finding.check)) {
      open.push({ finding, why: "not argued" });
      continue;
    }
    const called = finding.calls.flatMap(receiversOf);
    const strangers = [...new Set(called)].filter((name) => !Object.hasOwn(receivers, name));
    for (const name of called) used.add(name);
    if (finding.calls.length === 0) open.push({ finding, why: "names no call" });
    else if (strangers.length > 0) open.push({ finding, why: `calls ${strangers.join(", ")}` });
  }
  const argued = [...Object.keys(receivers), ...kinds.map(nameOf), ...Object.keys(single)];
  return { open, stale: argued.filter((name) => !used.has(name)) };
}

function nameOf({ check, text }: Triage["kinds"][number]): string {
  return text === undefined ? check : `${check} /${text}/`;
}

/** A call with its receiver, by name or in a cast to an interface. */
const CALL =
  /(?:\w+\(([a-zA-Z_]\w*(?:\.\w+|\[\w+\])*)\)|(?<![\w.)\]])([a-zA-Z_]\w*(?:\.\w+|\[\w+\])*))\.\w+(?:\{[^}]*\})?\(/g;

/** Receivers of the calls in a line of source: `VAULT` of `VAULT.slash(id, 1)`, `_modules.telemetry` of `I(_modules.telemetry).silent(id)`. */
export function receiversOf(source: string): string[] {
  const calls = source.matchAll(CALL);
  return [...calls].map(([, cast, plain]) => cast ?? plain ?? "");
}
