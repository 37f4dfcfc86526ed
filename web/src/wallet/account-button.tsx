import { Link } from "wouter";

import { short } from "../ui/format.ts";
import { useActor } from "./account.ts";

/** Place of the connected account in the header. */
export function AccountButton() {
  const actor = useActor();
  return (
    <Link href="/account" className="button">
      {actor ? <span className="mono">{short(actor.address)}</span> : "Connect"}
    </Link>
  );
}
