import { CommandBuilder } from "../command.ts";

/** Options of every task that looks at a deployment. */
export interface ReadingArguments {
  readonly json: boolean;
  readonly deployment: string;
}

/** Options of every task that signs. */
export interface SigningArguments {
  readonly json: boolean;
  readonly account: string;
  readonly keystore: string;
  readonly passphraseFile: string;
  readonly maxFee: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** Options of every task that sends something to the contracts of a deployment. */
export type WritingArguments = ReadingArguments & SigningArguments;

const DEPLOYMENT = {
  name: "deployment",
  description: "file with the deployed addresses; by default the one that belongs to the chain",
  defaultValue: "",
} as const;

/**
 * A task of any kind.
 *
 * @param example Shown with the description: how people call it.
 */
export function plain(id: string, description: string, example: string): CommandBuilder {
  return new CommandBuilder(id, description, example).addFlag({
    name: "json",
    description: "print one JSON object instead of text",
  });
}

/** A task that only reads a deployment. */
export function reading(id: string, description: string, example: string): CommandBuilder {
  return plain(id, description, example).addOption(DEPLOYMENT);
}

/** Who signs unless told otherwise: contributors have nodes, developers tasks; what concerns neither is account 0's. */
function signerOf(id: string): string {
  if (id.startsWith("network:")) return "0";
  return id.startsWith("node:") ? "contributor" : "developer";
}

/** A task that sends transactions of its own making. */
export function signing(id: string, description: string, example: string): CommandBuilder {
  return plain(id, description, example)
    .addOption({
      name: "account",
      description:
        "which account of the network signs: its number, from 0, or developer or contributor, which have keys of their own on the devnet and are account 0 elsewhere",
      defaultValue: signerOf(id),
    })
    .addOption({
      name: "keystore",
      description: "encrypted keystore file to sign with, instead of an account of the network",
      defaultValue: "",
    })
    .addOption({
      name: "passphraseFile",
      description: "file with the keystore's passphrase, readable by its owner alone",
      defaultValue: "",
    })
    .addOption({ name: "maxFee", description: "most that is offered per gas, gwei", defaultValue: "5" })
    .addFlag({ name: "yes", description: "send without asking" })
    .addFlag({ name: "dryRun", description: "simulate and show what it costs, send nothing" });
}

/** A task that sends to a deployment. Each transaction is simulated, shown with what it costs, and confirmed. */
export function writing(id: string, description: string, example: string): CommandBuilder {
  return signing(id, description, example).addOption(DEPLOYMENT);
}
