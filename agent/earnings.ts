import type { KeySource } from "@verai/client/keys";
import { answer } from "@verai/client/readers";
import type { Session } from "@verai/client/session";

/**
 * Sends what an owner can claim to the owner's wallet, if it is at least so much.
 *
 * @param least Wei; below it gas would eat too much of it.
 * @returns Wei claimed, 0 if it was not worth it yet.
 */
export async function claimEarnings(session: Session, owner: KeySource, least: bigint): Promise<bigint> {
  const { signer, queue } = await session.queue(owner);
  const { vault } = session.contracts;
  const worth = async (): Promise<bigint> => {
    const claimable = await answer(vault.claimable(signer.address));
    return claimable >= least ? claimable : 0n;
  };
  // In most looks there is nothing: the queue, which first asks for the signer's nonces, is left alone then.
  if ((await worth()) === 0n) return 0n;
  let amount = 0n;
  const receipt = await queue.submit({
    label: "claim",
    prepare: async () => {
      amount = await worth();
      return amount > 0n ? vault.claim.populateTransaction(signer.address) : null;
    },
  });
  return receipt ? amount : 0n;
}
