import type { Signer } from "ethers";

import { receiptDomain } from "./checkpoint-receipt.ts";
import { ContentAccess, type ContentAccessParts } from "./content-access.ts";
import type { Session } from "./session.ts";

/** Access to content by a session's chain. @param signer The own key; left out: nothing is proved. */
export async function openAccess(
  { reader, contracts, provider }: Pick<Session, "reader" | "contracts" | "provider">,
  signer: Pick<Signer, "signTypedData"> | undefined,
  readersOf?: ContentAccessParts["readersOf"],
): Promise<ContentAccess> {
  const domain = receiptDomain(Number(provider.chainId), await contracts.checkpoints.getAddress());
  return new ContentAccess({ reader, domain, ...(signer && { signer }), ...(readersOf && { readersOf }) });
}
