/** What is read of a package-lock.json. */
export interface Lockfile {
  readonly packages: Readonly<
    Record<
      string,
      { readonly license?: string; readonly dev?: boolean; readonly link?: boolean; readonly version?: string }
    >
  >;
}

/** `scripts/static/licences.json`. */
export interface LicenceRules {
  /** Licences by SPDX id under which a package may be distributed with ours. */
  readonly permitted: readonly string[];
  /** Packages that are argued by themselves: their path in the lockfile, without `node_modules/`. */
  readonly exceptions: Readonly<Record<string, string>>;
}

/** A package whose licence is neither permitted nor argued, or an argument without a package. */
export interface LicenceProblem {
  readonly name: string;
  readonly licence: string;
  readonly why: string;
}

/** Holds what is installed against the licences that are permitted. Pure; O(packages). */
export function judgeLicences({ packages }: Lockfile, { permitted, exceptions }: LicenceRules): LicenceProblem[] {
  const used = new Set<string>();
  const problems: LicenceProblem[] = [];
  for (const [path, { license, link }] of Object.entries(packages)) {
    // Workspaces are ours.
    if (!path.startsWith("node_modules/") || link === true) continue;
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (license !== undefined && isPermitted(license, permitted)) continue;
    if (Object.hasOwn(exceptions, name)) used.add(name);
    else
      problems.push({ name, licence: license ?? "none stated", why: "neither permitted nor argued in licences.json" });
  }
  const stale = Object.keys(exceptions).filter((name) => !used.has(name));
  return [...problems, ...stale.map((name) => ({ name, licence: "", why: "argued, but no package needs it" }))];
}

/** Whether an SPDX expression lets us choose a permitted licence: one of an OR, or all of an AND. */
export function isPermitted(expression: string, permitted: readonly string[]): boolean {
  const plain = expression.replaceAll(/[()]/g, "");
  return plain.split(" OR ").some((choice) => choice.split(" AND ").every((part) => permitted.includes(part.trim())));
}
