import { files, GENERATED, plain, table, textOf } from "./source.ts";

/** Page of the contracts, the roles and the parameters, from NatSpec and the parameters files. */
export function contractsPage(): string {
  return [
    "# Contracts and parameters",
    "",
    GENERATED,
    "",
    "What each role may do is in [the protocol](../concepts/protocol.md#roles-and-permissions). Addresses are in",
    "`ignition/deployments/chain-<id>/deployed_addresses.json`.",
    "",
    "## Contracts",
    "",
    table(["contract", "file", "what it is"], contracts()),
    "",
    "## Parameters",
    "",
    "Governance changes a value within its bounds, after a delay ([how](../guides/deployer.md#change-a-parameter)); nothing changes the",
    "bounds. Values and bounds are those of `ignition/parameters/baseSepolia.json`, in the units that the description names: seconds for",
    "times, micro-VER for money, basis points for shares.",
    "",
    table(["parameter", "value", "minimum", "maximum", "meaning"], parameters()),
    "",
  ].join("\n");
}

/** Contracts that are deployed, with their titles. */
function contracts(): string[][] {
  return files("contracts/**/*.sol")
    .filter((file) => !file.includes("/interfaces/"))
    .flatMap((file) => {
      const text = textOf(file);
      return [...text.matchAll(/((?:^\/\/\/.*\n)+)(?:^\/\/.*\n)*^(contract|library|abstract contract) (\w+)/gm)].map(
        ([, comment = "", kind = "", name = ""]) => {
          const title = /@title ([^@]*)/.exec(plain(comment))?.[1]?.trim() ?? plain(comment);
          return [`\`${name}\``, `\`${file}\``, kind === "contract" ? title : `${title} (${kind})`];
        },
      );
    });
}

/** Parameters in their order, with what NatSpec says of each. */
function parameters(): string[][] {
  const source = textOf("contracts/interfaces/IParameters.sol");
  const body = /enum Param \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? "";
  const { Drmp } = JSON.parse(textOf("ignition/parameters/baseSepolia.json")) as {
    Drmp: Record<string, { value: string | number; min: string | number; max: string | number } | undefined>;
  };
  let said = "";
  return [...body.matchAll(/((?:^\s*\/\/\/.*\n)*)^\s*(\w+),?/gm)].map(([, comment = "", name = ""]) => {
    said = comment.trim() === "" ? said : plain(comment);
    const bounded = Drmp[name];
    if (!bounded) throw new Error(`baseSepolia.json has no value for ${name}`);
    return [`\`${name}\``, ...[bounded.value, bounded.min, bounded.max].map(shown), said];
  });
}

const shown = (value: string | number): string => Number(String(value).replace(/n$/, "")).toLocaleString("en-US");
