import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { CommandError } from "../errors.ts";
import { addToStore } from "../data/add.ts";
import { parseDuration } from "../session/duration.ts";
import type { Environment } from "../session/environment.ts";
import { exchangeOf, type ExchangeOptions } from "./exchange-options.ts";
import { programSpec } from "./program-spec.ts";
import { type SubmitArguments, submitAndFollow } from "./submit.ts";

interface Arguments extends SubmitArguments, ExchangeOptions {
  readonly script: string;
  readonly data: string;
  readonly image: string;
  readonly args: string;
  readonly cpus: string;
  readonly memory: number;
  readonly gpus: number;
  readonly scratch: number;
  readonly class: string;
  readonly confidential: boolean;
  readonly registryUser: string;
  readonly registryPasswordFile: string;
  readonly outputs: string;
  readonly everySteps: number;
  readonly out: string;
}

/** Longest time of a unit where none is named, seconds. */
const UNIT_SECONDS = 86_400;

/** Packs a Python script with its folder, submits it, follows it, and fetches what it leaves. */
export default async function run(given: Arguments, environment: Environment): Promise<void> {
  const classes = [given.classes, given.class].filter((each) => each !== "").join(",");
  const args = { ...given, classes };
  const { script, data, image, store } = args;
  const exchange = exchangeOf(args);
  await submitAndFollow(
    args,
    environment,
    async ({ chainId }) => {
      if (script === "") throw new CommandError("OPTION_MISSING", "Name the script: drmp run train.py");
      // On a network of this machine, nodes run it with the machine's own Python.
      if (image === "" && chainId !== LOCAL_CHAIN_ID)
        throw new CommandError(
          "OPTION_MISSING",
          "Name an image with PyTorch by digest: --image <registry>/trainer-python@sha256:…",
        );
      const registry = await registryOf(args);
      const code = await addToStore(store, dirname(script));
      const inputs = data === "" ? undefined : await addToStore(store, data);
      return programSpec({
        script: basename(script),
        code: code.cid,
        data: inputs?.cid,
        image: image === "" ? undefined : image,
        confidential: args.confidential,
        registry,
        args: args.args === "" ? [] : args.args.split(" "),
        cpus: Number(args.cpus),
        memoryMiB: args.memory,
        gpus: args.gpus,
        scratchMiB: args.scratch,
        outputs: args.outputs.split(","),
        checkpointInterval: parseDuration(args.interval),
        ...(args.everySteps > 0 && { everySteps: args.everySteps }),
        ...(exchange && { exchange }),
        unitSeconds: args.unitTime === "" ? UNIT_SECONDS : parseDuration(args.unitTime),
      });
    },
    args.detach ? undefined : args.out,
  );
}

/** What the image is pulled with; the password never stands on the command line. */
async function registryOf({ registryUser: username, registryPasswordFile: file, confidential }: Arguments) {
  if (username === "" && file === "") return undefined;
  if (username === "" || file === "")
    throw new CommandError(
      "OPTION_MISSING",
      "A private registry wants both: --registry-user, and --registry-password-file with the password or token.",
    );
  if (!confidential)
    throw new CommandError(
      "OPTION_INVALID",
      "--registry-user is for --confidential alone: all nodes of the task read the spec of another one.",
    );
  return { username, password: (await readFile(file, "utf8")).trim() };
}
