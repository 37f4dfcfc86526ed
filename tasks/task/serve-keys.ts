import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { openAccess } from "@verai/client/open-access";
import { KeyHost } from "@verai/developer/key-host";
import { shutdownSignal } from "@verai/process/program";
import type { Environment } from "../session/environment.ts";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { keysOf } from "./keys.ts";
import { LOOK_MS, withStore } from "./store.ts";

interface Arguments extends WritingArguments {
  readonly listen: string;
  readonly store: string;
}

/** Gives the keys of confidential tasks to their nodes, until SIGINT or SIGTERM. */
export default async function serveKeys(args: Arguments, environment: Environment): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader } = session;
    const access = await openAccess(session, (await context.account()).signer);
    let given = 0;
    const say = (_: object, message: string) => {
      given += 1;
      output.say(message);
    };
    const serve = async (store: CheckpointStore) => {
      await new KeyHost({ reader, store, access, keys: keysOf(context), logger: { info: say } }).serve();
      const addresses = store.multiaddrs().filter((address) => address.includes("/p2p/"));
      output.say(`Keys are given at ${addresses.join(",")}. Ctrl-C ends it.`);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      shutdownSignal().addEventListener("abort", () => {
        resolve(undefined);
      });
      await promise;
      return { addresses, given };
    };
    return withStore(reader, args.store, serve, LOOK_MS, undefined, access, [args.listen]);
  });
}
