import type { Finding } from "@verai/process/check/finding";

/** What has to be said of a fault. */
export interface Said {
  /** Entry that it is about. */
  readonly entry: string;
  /** The value, or part of it. */
  readonly value: RegExp;
  readonly what: RegExp;
  readonly bound: RegExp;
  readonly remedy: RegExp;
}

/** Requires a finding of this level that says all this; rejects with what was found instead. */
export function requireFinding(findings: readonly Finding[], said: Said, level: Finding["level"] = "error"): void {
  const about = findings.filter(({ entry }) => entry === said.entry);
  const found = about.some(
    (one) =>
      one.level === level &&
      said.value.test(one.value) &&
      said.what.test(one.what) &&
      said.bound.test(one.bound) &&
      said.remedy.test(one.remedy),
  );
  if (!found) throw new Error(`of ${said.entry} was said: ${JSON.stringify(about)}`);
}

/** Requires that work fails with a message in which all of these occur. */
export async function requireRefusal(work: () => unknown, ...parts: readonly RegExp[]): Promise<void> {
  let message: string | undefined;
  try {
    await work();
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
  }
  if (message === undefined) throw new Error("it was accepted");
  for (const part of parts) if (!part.test(message)) throw new Error(`the message lacks ${String(part)}: ${message}`);
}
