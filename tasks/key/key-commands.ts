import { plain } from "../session/options.ts";

/** Tasks about keys, for who has no wallet that exports encrypted keystores. */
export const keyCommands = [
  plain(
    "key:new",
    "Makes a fresh key in an encrypted keystore, and says its address",
    "--keystore ~/keys/operator.json --passphrase-file ~/keys/operator.pass",
  )
    .addOption({ name: "keystore", description: "file to write, which must not be there yet", defaultValue: "" })
    .addOption({
      name: "passphraseFile",
      description:
        "file with the passphrase, readable by its owner alone; created with a random one if it does not exist",
      defaultValue: "",
    })
    .setAction(() => import("./new.ts"))
    .build(),
];
