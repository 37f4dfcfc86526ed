/** `NodeRegistry` → `nodeRegistryAbi`. */
function constantOf(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}Abi`;
}

/** A module that holds an ABI. */
export function abiModule(name: string, abi: readonly object[]): string {
  return `export const ${constantOf(name)} = ${JSON.stringify(abi)};\n`;
}

/** Its types: the ABI as the literal that it is, which libraries such as viem and abitype infer calls from. */
export function abiTypes(name: string, abi: readonly object[]): string {
  return `export declare const ${constantOf(name)}: ${literal(abi)};\n`;
}

/** The module of all ABIs; it is also that of their types. */
export function abiIndex(names: readonly string[]): string {
  return names.map((name) => `export { ${constantOf(name)} } from "./${name}.js";\n`).join("");
}

/** Takes the place of the module that reads ABIs from JSON files, which not every bundler and browser can import. */
export function abisModule(names: readonly string[]): string {
  const imports = [...names, "Errors"].map((name) => `import { ${constantOf(name)} } from "../../abi/${name}.js";\n`);
  return `${imports.join("")}
export const ABIS = { ${names.map((name) => `${name}: ${constantOf(name)}`).join(", ")} };
export const ERRORS_ABI = errorsAbi;
`;
}

/** A value as a readonly literal type. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `readonly [${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `readonly ${name}: ${literal(field)}`);
    return `{ ${fields.join("; ")} }`;
  }
  return JSON.stringify(value);
}
