import { formatConsent, signConsent } from "@verai/client/consent";
import { write } from "../session/context.ts";
import type { Environment } from "../session/environment.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseAddress } from "./parse.ts";

/** Signs that an operator key works for an owner's node. */
export default async function consent(
  args: WritingArguments & { readonly owner: string },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const owner = parseAddress("owner", args.owner);
    const { signer } = await context.account();
    const signed = await signConsent(session.contracts, signer, owner);
    const text = formatConsent(signed);
    output.facts([
      ["operator", signed.operator],
      ["owner", owner],
      ["good for", "a day"],
      ["consent", text],
    ]);
    return { operator: signed.operator, owner, consent: text };
  });
}
