import { spawn } from "node:child_process";

import { ROOT } from "../check/files.ts";

/** Vulnerabilities of what is installed to run, or why there is no answer. */
export type Advisories =
  | { readonly kind: "answered"; readonly packages: readonly { name: string; severity: string; title: string }[] }
  | { readonly kind: "unanswered"; readonly why: string };

/** What `npm audit --json` prints. */
interface Report {
  readonly error?: { readonly summary?: string; readonly code?: string };
  readonly message?: string;
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly severity: string; readonly via: readonly (string | { readonly title: string })[] }>
  >;
}

/** Longest wait for the registry, milliseconds. */
const LONGEST_MS = 120_000;

/** Asks the registry, through npm, for known vulnerabilities of what a running network has installed. */
export async function advisories(signal: AbortSignal): Promise<Advisories> {
  const child = spawn("npm", ["audit", "--omit=dev", "--json"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "ignore"],
    signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]),
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return advisoriesOf(Buffer.concat(chunks).toString());
}

/** Reads what npm printed. An answer without a list of packages is none. Pure. */
export function advisoriesOf(printed: string): Advisories {
  let report: Report;
  try {
    report = JSON.parse(printed) as Report;
  } catch {
    return { kind: "unanswered", why: "npm printed no JSON" };
  }
  if (report.vulnerabilities === undefined)
    return { kind: "unanswered", why: report.message ?? (report.error?.summary || "npm printed no list of packages") };
  const packages = Object.entries(report.vulnerabilities).map(([name, { severity, via }]) => ({
    name,
    severity,
    title: via.map((cause) => (typeof cause === "string" ? `by ${cause}` : cause.title)).join("; "),
  }));
  return { kind: "answered", packages };
}
