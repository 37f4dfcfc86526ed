import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import ts from "typescript";

/** A Kubernetes object. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * What is wrong with objects: by the schemas of their kinds (types, required fields, allowed values), and fields that
 * their kinds do not have, found by checking them against the kinds' TypeScript interfaces. Takes a second or two.
 *
 * @returns A line for each finding; none if all is well.
 */
export async function problemsOf(manifests: readonly Manifest[]): Promise<string[]> {
  const bySchema = await Promise.all(manifests.map(async (manifest) => schemaProblemOf(manifest)));
  return [...bySchema.filter((problem) => problem !== undefined), ...(await typeProblems(manifests))];
}

/** Name for people. */
export function nameOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata?.name ?? "(no name)"}`;
}

/** The module that has the schema and the interface of a kind. */
function moduleOf({ apiVersion, kind }: Manifest): string {
  const models = apiVersion.includes("keda.sh") ? "@kubernetes-models/keda" : "kubernetes-models";
  return `${models}/${apiVersion}/${kind}`;
}

/** What is wrong with an object by the schema of its kind; undefined if nothing is. */
export async function schemaProblemOf(manifest: Manifest): Promise<string | undefined> {
  try {
    const kinds = (await import(moduleOf(manifest))) as Record<string, new (json: object) => { validate(): void }>;
    const Kind = kinds[manifest.kind];
    if (!Kind) return `${nameOf(manifest)}: there is no such kind in ${manifest.apiVersion}`;
    new Kind(manifest).validate();
    return undefined;
  } catch (error) {
    return `${nameOf(manifest)}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function typeProblems(manifests: readonly Manifest[]): Promise<string[]> {
  const known = manifests.filter((manifest) => /^[@\w./-]+$/.test(moduleOf(manifest)));
  const lines = known.map((manifest, i) => {
    const text = JSON.stringify(manifest);
    return `import type { I${manifest.kind} as I${i} } from "${moduleOf(manifest)}"; const o${i}: I${i} = ${text};`;
  });
  // Inside the project, so that packages are found from it.
  await mkdir(join(ROOT, ".data"), { recursive: true });
  const file = join(ROOT, ".data", `manifests-${process.pid}.ts`);
  await writeFile(file, `${lines.join("\n")}\nexport {};\n`);
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.Preserve,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2024,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  });
  const source = program.getSourceFile(file);
  const diagnostics = source ? program.getSemanticDiagnostics(source) : [];
  await rm(file);
  if (!source) throw new Error(`${file} was not compiled`);
  return diagnostics.map(({ messageText, start }) => {
    const at = source && start !== undefined ? source.getLineAndCharacterOfPosition(start).line : -1;
    const manifest = known[at];
    return `${manifest ? nameOf(manifest) : "?"}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}
