/** ABIs by contract name. */
export type Abis = Readonly<Record<string, unknown>>;

/** Addresses by contract name, by chain id. */
export type Addresses = Readonly<Record<number, Readonly<Partial<Record<string, string>>>>>;

/** `NodeRegistry` → `nodeRegistryAbi`. */
function constantOf(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}Abi`;
}

/** The package's module: a constant per ABI, `addresses`, and `addressOf`. */
export function moduleOf(abis: Abis, addresses: Addresses): string {
  const constants = Object.entries(abis).map(
    ([name, abi]) => `export const ${constantOf(name)} = ${JSON.stringify(abi)};`,
  );
  return `${constants.join("\n")}
export const addresses = ${JSON.stringify(addresses)};
export function addressOf(chainId, contract) {
  const address = addresses[chainId]?.[contract];
  if (address === undefined) {
    throw new RangeError(\`DRMP's \${contract} is not deployed on chain \${chainId}; known chains: \${Object.keys(addresses).join(", ") || "none"}\`);
  }
  return address;
}
`;
}

/** Its types: each ABI as the literal that it is, which libraries such as viem and abitype infer calls from. */
export function typesOf(abis: Abis, addresses: Addresses): string {
  const constants = Object.entries(abis).map(
    ([name, abi]) => `export declare const ${constantOf(name)}: ${literal(abi)};`,
  );
  const names = Object.keys(abis).map((name) => JSON.stringify(name));
  return `${constants.join("\n")}
/** A contract of the protocol. */
export type DrmpContract = ${names.join(" | ")};
/** Checksummed addresses, by chain id and contract. */
export declare const addresses: Readonly<Record<number, Readonly<Partial<Record<DrmpContract, \`0x\${string}\`>>>>>;
/** The address of a contract on a chain. Throws a RangeError that names the known chains if there is none. */
export declare function addressOf(chainId: ${Object.keys(addresses).join(" | ") || "number"}, contract: DrmpContract): \`0x\${string}\`;
`;
}

/** A value as a readonly literal type. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `readonly [${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `readonly ${JSON.stringify(name)}: ${literal(field)}`);
    return `{ ${fields.join("; ")} }`;
  }
  return JSON.stringify(value);
}
