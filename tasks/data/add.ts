import { lstat } from "node:fs/promises";

import { LocalStore } from "@verai/checkpoint-store/local";

import { CommandError } from "../errors.ts";
import { guarded } from "../session/context.ts";
import { Output } from "../session/output.ts";

interface Arguments {
  readonly json: boolean;
  readonly path: string;
  readonly store: string;
}

/** Adds a file or folder to the store that submitted tasks are served from. Nothing is sent. */
export default async function add(args: Arguments): Promise<void> {
  await guarded(new Output(args.json), async (output) => {
    if (args.path === "") throw new CommandError("OPTION_MISSING", "Name the file or folder: --path ./data");
    const { cid, size } = await addToStore(args.store, args.path);
    output.say(`${cid} is ${args.path}, ${String(size)} bytes in blocks.`);
    output.say(
      `Use it: npx hardhat task:submit --input ${cid}=data …, which serves it; the program finds it below DRMP_INPUT_DIR.`,
    );
    output.result({ cid, size, store: args.store });
  });
}

/**
 * Adds a file or folder to a store that no process has open, and keeps it.
 *
 * @param directory Of the store.
 */
export async function addToStore(directory: string, path: string): Promise<{ cid: string; size: number }> {
  const kind = await lstat(path).catch(() => undefined);
  if (kind === undefined) throw new CommandError("NOT_FOUND", `There is no ${path}: correct the path.`);
  const store = new LocalStore(directory);
  await store.open();
  try {
    const block = { pin: "input" };
    const { cid, size } = await (kind.isDirectory() ? store.addDirectory(path, block) : store.addFile(path, block));
    return { cid: cid.toString(), size };
  } finally {
    await store.close();
  }
}
