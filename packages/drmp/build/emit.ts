import { dirname, join, relative } from "node:path";

import ts from "typescript";

/** Modules of the published package, compiled: text by path within it. */
export type Files = Map<string, string>;

/** Workspaces whose modules can become part of the package, by name, and the folder that each has in it. */
const WORKSPACES = /^packages\/(client|drmp|errors|protocol)\//;

/**
 * Compiles modules and all that they import of this repository to JavaScript and declarations. Nothing is bundled: each
 * module stays a file, so that stack traces and declarations can be read; imports between workspaces become relative.
 *
 * @param entries Paths from the repository's root.
 * @throws Error with the compiler's messages.
 */
export function emit(root: string, entries: readonly string[]): Files {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), (file) => ts.sys.readFile(file)).config as object;
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: entries, include: [] }, ts.sys, root);
  const program = ts.createProgram(
    entries.map((entry) => join(root, entry)),
    {
      ...options,
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: root,
      outDir: root,
      // By their folders: what lies below node_modules is not compiled.
      paths: { "@verai/*": [join(root, "packages/*")] },
      target: ts.ScriptTarget.ES2022,
      types: ["node"],
      skipLibCheck: true,
    },
  );
  const problems = [...ts.getPreEmitDiagnostics(program)];
  if (problems.length > 0) {
    throw new Error(ts.formatDiagnostics(problems, { ...HOST, getCurrentDirectory: () => root }));
  }
  const files: Files = new Map();
  program.emit(undefined, (name, text) => {
    const file = relative(root, name).replaceAll("\\", "/");
    const place = placeOf(file);
    if (place !== undefined) files.set(place, withRelativeImports(place, text));
  });
  return files;
}

const HOST: Omit<ts.FormatDiagnosticsHost, "getCurrentDirectory"> = {
  getCanonicalFileName: (name) => name,
  getNewLine: () => "\n",
};

/** Where an emitted file goes; undefined for what the package does without. */
function placeOf(file: string): string | undefined {
  if (WORKSPACES.test(file)) return file.endsWith(".json") ? undefined : file.replace(/^packages\//, "");
  // TypeChain's types have no code.
  return file.startsWith("types/contracts/") && file.endsWith(".d.ts") ? file : undefined;
}

/** `@verai/protocol/money/ver` becomes a relative path; declarations name modules as JavaScript does. */
function withRelativeImports(place: string, text: string): string {
  return text
    .replace(/(["'])@verai\/([a-z]+)\/([^"']+)\1/g, (_, quote: string, workspace: string, path: string) => {
      const to = relative(dirname(place), `${workspace}/${path}.js`).replaceAll("\\", "/");
      return `${quote}${to.startsWith(".") ? to : `./${to}`}${quote}`;
    })
    .replace(/(from |import\()(["'])(\.[^"']+)\.ts\2/g, "$1$2$3.js$2")
    .replace(/(["'])(?:\.\.\/)+types\/contracts\//g, (_, quote: string) => {
      return `${quote}${relative(dirname(place), "types/contracts").replaceAll("\\", "/")}/`;
    });
}
