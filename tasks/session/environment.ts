import { BASE_CHAIN_ID, BASE_SEPOLIA_CHAIN_ID, LOCAL_CHAIN_ID } from "@verai/client/chains";
import { findDevnet } from "@verai/client/devnet";
import { CommandError } from "../errors.ts";

/** A value that is looked up when it is needed: an environment variable, or an entry of Hardhat's keystore. */
interface Lookup {
  readonly getUrl: () => Promise<string>;
}

/** An account's private key, looked up when it is needed. */
interface SecretKey {
  readonly getHexString: () => Promise<string>;
}

/** Accounts derived from a mnemonic. */
interface MnemonicAccounts {
  readonly mnemonic: { readonly get: () => Promise<string> };
  readonly path: string;
}

/** A network with an endpoint. */
interface HttpNetwork {
  readonly type: "http";
  readonly chainId?: number | undefined;
  readonly url: Lookup;
  readonly accounts: "remote" | readonly SecretKey[] | MnemonicAccounts;
}

/** A network by its name; nothing is deployed on those inside Hardhat's process. */
export type NetworkEntry = HttpNetwork | { readonly type: "edr-simulated" };

/** What a command knows of the place where it runs. Hardhat's runtime environment is one. */
export interface Environment {
  readonly globalOptions: { readonly network?: string | undefined };
  readonly config: {
    /** The repository's root, below which `.data` and `ignition` are. */
    readonly paths: { readonly root: string };
    readonly networks: Readonly<Record<string, NetworkEntry | undefined>>;
  };
}

/** The networks that every door knows by name, and the variables that hold what is private. */
export const NETWORKS = {
  localhost: { chainId: LOCAL_CHAIN_ID, urlVariable: "DRMP_LOCALHOST_URL", url: "http://127.0.0.1:8545" },
  baseSepolia: { chainId: BASE_SEPOLIA_CHAIN_ID, urlVariable: "BASE_SEPOLIA_RPC_URL", keyVariable: "DEPLOYER_KEY" },
  base: { chainId: BASE_CHAIN_ID, urlVariable: "BASE_RPC_URL", keyVariable: "DEPLOYER_KEY" },
} as const;

/** Where the local chain is: as told by `DRMP_LOCALHOST_URL`, that of the devnet if one runs, or Hardhat's usual address. */
export function localUrl(variables: Readonly<Record<string, string | undefined>>): string {
  return variables[NETWORKS.localhost.urlVariable] ?? findDevnet()?.rpcUrl ?? NETWORKS.localhost.url;
}

/** An environment without Hardhat: endpoints and keys come from environment variables. */
export function plainEnvironment(
  root: string,
  network: string | undefined,
  variables: Readonly<Record<string, string | undefined>>,
): Environment {
  const need = (name: string, what: string): string => {
    const value = variables[name];
    if (value !== undefined && value !== "") return value;
    throw new CommandError("VARIABLE_MISSING", `${name} is not set: it must hold ${what}. Set it in the environment.`);
  };
  const { localhost, baseSepolia, base } = NETWORKS;
  const publicNetwork = ({ chainId, urlVariable, keyVariable }: typeof baseSepolia | typeof base): NetworkEntry => ({
    type: "http",
    chainId,
    url: { getUrl: async () => need(urlVariable, `the URL of an RPC endpoint of chain ${String(chainId)}`) },
    accounts: [
      {
        getHexString: async () =>
          need(keyVariable, "the private key that signs; or name a keystore with --keystore and --passphrase-file"),
      },
    ],
  });
  return {
    globalOptions: { network },
    config: {
      paths: { root },
      networks: {
        localhost: {
          type: "http",
          chainId: localhost.chainId,
          url: { getUrl: async () => localUrl(variables) },
          accounts: "remote",
        },
        baseSepolia: publicNetwork(baseSepolia),
        base: publicNetwork(base),
      },
    },
  };
}
