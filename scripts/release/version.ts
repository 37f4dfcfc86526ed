/** A heading of CHANGELOG.md that names a version, or what is not released yet. */
const HEADING = /^## (.+)$/gm;
/** What has not been released. */
const UNRELEASED = "Unreleased";
/** Files that name the version that this repository is, beside those that manifests depend on. */
export const NAMES_VERSION: readonly string[] = [
  "package.json",
  "package-lock.json",
  "*/package.json",
  "packages/*/package.json",
  "python/pyproject.toml",
  "python/src/drmp/__init__.py",
  "deploy/**/*.{yaml,json}",
  "docs/**/*.md",
  "test/e2e/docs.test.ts",
];

/** A version in three numbers, none of them with a leading zero. */
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;

/**
 * Where `version` stands beside `other`: below 0 if before it. Pure.
 *
 * @throws Error if one of them is not a version of three numbers.
 */
export function compareVersions(version: string, other: string): number {
  const [a, b] = [parts(version), parts(other)];
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function parts(version: string): [number, number, number] {
  const [, major, minor, patch] = VERSION.exec(version) ?? [];
  if (patch === undefined) throw new Error(`"${version}" is not a version: write three numbers, such as 0.2.0.`);
  return [Number(major), Number(minor), Number(patch)];
}

/**
 * A text that names one version, with another in its place: as a whole value in quotes, as the tag of one of our images or packages, and
 * as Kustomize's `newTag`. Versions of others stay. Pure.
 */
export function withVersion(text: string, file: string, from: string, to: string): string {
  const old = from.replaceAll(".", "\\.");
  if (file.endsWith("package.json") || file.endsWith("package-lock.json")) {
    // Of ours alone: a manifest's own version, and workspaces that others depend on.
    const manifest = new RegExp(`^((?:  "version"|    "@verai/[\\w-]+"): )"${old}"`, "gm");
    if (file.endsWith("package.json")) return text.replaceAll(manifest, `$1"${to}"`);
    return lockWithVersion(text, from, to);
  }
  return text
    .replaceAll(
      new RegExp(`(drmp[-/](?:agent|indexer|keepers|trainer|trainer-python|trainer-python-cuda):)${old}`, "g"),
      `$1${to}`,
    )
    .replaceAll(new RegExp(`(newTag: "?)${old}`, "g"), `$1${to}`)
    .replaceAll(new RegExp(`^((?:__version__|version) = )"${old}"`, "gm"), `$1"${to}"`);
}

/** A lockfile: its own version, and those of workspaces, which are packages without a place to fetch them from. */
function lockWithVersion(text: string, from: string, to: string): string {
  const lock = JSON.parse(text) as { version: string; packages: Record<string, Record<string, unknown>> };
  lock.version = to;
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place.startsWith("node_modules/")) continue;
    if (entry["version"] === from) entry["version"] = to;
    for (const kind of ["dependencies", "devDependencies"]) {
      const wanted = (entry[kind] ?? {}) as Record<string, string>;
      for (const name of Object.keys(wanted))
        if (name.startsWith("@verai/") && wanted[name] === from) wanted[name] = to;
    }
  }
  return `${JSON.stringify(lock, null, 2)}\n`;
}

/** What a version changed, as CHANGELOG.md says. Pure. */
export interface Released {
  /** The page with a heading for the version in place of "Unreleased", above which a new one stands. */
  readonly changelog: string;
  /** The version's section. */
  readonly notes: string;
}

/**
 * Gives what is not released yet a version and a date. Pure.
 *
 * @param date As `2026-11-30`.
 * @throws Error if nothing is unreleased, or the version is not after the last one.
 */
export function releaseChangelog(text: string, version: string, date: string): Released {
  const headings = [...text.matchAll(HEADING)];
  const at = headings.findIndex(([, name]) => name === UNRELEASED);
  const heading = headings[at];
  if (!heading) throw new Error(`CHANGELOG.md has no section "${UNRELEASED}".`);
  const start = heading.index + heading[0].length;
  const notes = text.slice(start, headings[at + 1]?.index ?? text.length).trim();
  if (!/^- /m.test(notes)) throw new Error("Nothing is unreleased: CHANGELOG.md has no line for users to read.");
  const last = headings[at + 1]?.[1]?.split(" ")[0];
  if (last !== undefined && compareVersions(version, last) <= 0)
    throw new Error(`${version} is not after ${last}, the last version in CHANGELOG.md.`);
  const changelog = `${text.slice(0, start)}\n\n## ${version} (${date})${text.slice(start)}`;
  return { changelog, notes };
}

/**
 * Whether a step between two versions says enough about what has changed: before 1.0.0 the second number grows with each change that
 * breaks a promise, after it the first. Pure.
 *
 * @returns Why not; undefined if it does.
 */
export function tooSmallAStep(from: string, to: string, notes: string): string | undefined {
  const [a, b] = [parts(from), parts(to)];
  const breaking = /^### (Changed|Removed)$/m.test(notes);
  const bigEnough = b[0] > a[0] || (a[0] === 0 && b[1] > a[1]);
  if (!breaking || bigEnough) return undefined;
  const next = a[0] === 0 ? `0.${String(a[1] + 1)}.0` : `${String(a[0] + 1)}.0.0`;
  return `CHANGELOG.md has changes of what was there (### Changed or ### Removed): the version after ${from} is ${next} or later.`;
}
