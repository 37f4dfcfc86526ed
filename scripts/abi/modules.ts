import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { format } from "oxfmt";

import { NETWORKS } from "@verai/tasks/session/environment";
import { CONTRACT_NAMES } from "../../packages/client/contract-names.ts";
import { deployments } from "./deployments.ts";
import { compiledAbi, formatAbi, sourceOf, syntaxTrees } from "./compiled.ts";
import { errorsOf } from "./errors.ts";
import { constantsOf, domainOf, enumsOf, parametersOf, typedDataOf } from "./protocol.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Where the generated files are kept. */
export const CLIENT = join(ROOT, "packages", "client");

/** Folders below {@link CLIENT} that hold nothing else. */
export const FOLDERS = ["abi", "typed-abi", "generated"] as const;

/** First lines of a generated module. */
const HEAD = "// Written by `npm run abi` from the contracts; do not edit.\n\n";

/** Every generated file by its path below packages/client: the contracts in the form that programs take them in. */
export async function generated(): Promise<Map<string, string>> {
  const abis = new Map(CONTRACT_NAMES.map((name) => [name, compiledAbi(name)] as const));
  const trees = syntaxTrees();
  const files = new Map<string, string>();
  for (const [name, abi] of abis) {
    files.set(`abi/${name}.json`, formatAbi(abi));
    files.set(`typed-abi/${name}.ts`, typedAbi(name, formatAbi(abi)));
  }
  files.set("abi/Errors.json", formatAbi(errorsOf([...abis.values()])));
  const modules: Readonly<Record<string, string>> = {
    abis: abisModule(),
    "contract-types": typesModule(),
    enums: `/** Members of every enumeration of the contracts, in the order of their numbers. */
export const ENUMS = ${literal(enumsOf(trees))} as const;`,
    constants: `/** Public constants of the contracts that are plain numbers, by contract; times in seconds. */
export const CONSTANTS = ${literal(constantsOf(trees))} as const;`,
    parameters: parametersModule(parametersOf(trees)),
    signing: `/** The EIP-712 types of everything that is signed, by the name of the outermost type. */
export const TYPED_DATA = ${literal(typedDataOf(trees))} as const;

/** Name and version of the EIP-712 domain of the protocol's contracts; the token has its own. */
export const SIGNING_DOMAIN = ${literal(domainOf(trees))} as const;`,
    addresses: `/** Addresses of public deployments, by chain id and contract. */
export const ADDRESSES: Readonly<Record<number, Readonly<Record<string, string>>>> = ${literal(await deployments())};`,
  };
  for (const [name, text] of Object.entries(modules)) {
    const file = `generated/${name}.ts`;
    const { code, errors } = await format(file, HEAD + text, { printWidth: 120 });
    if (errors[0]) throw new Error(`${file} cannot be formatted: ${errors[0].message}`);
    files.set(file, code);
  }
  return files;
}

/** An ABI as literal types, from which viem infers arguments and results. */
function typedAbi(name: string, text: string): string {
  const constant = `${name.charAt(0).toLowerCase()}${name.slice(1)}Abi`;
  return `${HEAD}/** ABI of ${name}, with literal types. @public */\nexport const ${constant} = ${text.trimEnd()} as const;\n`;
}

function abisModule(): string {
  const names = [...CONTRACT_NAMES].sort();
  const imports = [...names, "Errors"].map(
    (name) => `import ${name} from "../abi/${name}.json" with { type: "json" };`,
  );
  return `${imports.join("\n")}

/** ABIs by contract name. */
export const ABIS: Readonly<Record<${names.map((name) => JSON.stringify(name)).join(" | ")}, readonly object[]>> = {
  ${names.join(",\n  ")},
};

/** Every error that a contract reverts with, whichever contract was called. */
export const ERRORS_ABI: readonly object[] = Errors;`;
}

/** TypeChain's types, which follow the sources' folders. */
function typesModule(): string {
  const exports = [...CONTRACT_NAMES].sort().map((name) => {
    const folder = dirname(sourceOf(name));
    return `export type { ${name} } from "../../../types/contracts/${folder}/${name}.ts";`;
  });
  return exports.join("\n");
}

interface Setting {
  readonly value: number;
  readonly min: number;
  readonly max: number;
}

function parametersModule(parameters: ReturnType<typeof parametersOf>): string {
  const settings = Object.entries(NETWORKS).map(([network, { chainId }]) => {
    const file = join(ROOT, "ignition", "parameters", `${network}.json`);
    const { Drmp } = JSON.parse(readFileSync(file, "utf8")) as { Drmp: Readonly<Record<string, Setting>> };
    const entries = parameters.map(({ name }) => {
      const setting = Drmp[name.charAt(0).toUpperCase() + name.slice(1)];
      if (!setting) throw new Error(`${file} does not name the parameter ${name}.`);
      return [name, setting] as const;
    });
    return [chainId, Object.fromEntries(entries)] as const;
  });
  return `/** The governed parameters in the order of their ids, each with its unit. @public */
export const PARAMETER_LIST = ${literal(parameters)} as const;

/** With what parameters are deployed, by chain id: the first value, and the hard bounds that nobody can move. @public */
export const PARAMETER_SETTINGS = ${literal(Object.fromEntries(settings))} as const;`;
}

function literal(value: object): string {
  return JSON.stringify(value);
}
