import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Address } from "viem";
import { useConfig as useWagmi } from "wagmi";

import { useChainClient } from "../chain/client.ts";
import { useConfig } from "../config.ts";
import { foreign } from "../ui/format.ts";
import { Transaction } from "../ui/links.tsx";
import { noteDone } from "./done.tsx";
import { outcomeOf } from "./outcome.ts";
import { forgetSent, hashOf, type SentEntry, useUnknown } from "./sent.ts";

const AGAIN_MS = 3_000;

/** What an account has sent and the chain has not told of yet, also before a reload: looked for until it is known. */
export function Unknown({ account }: { account: Address }) {
  const { chainId } = useConfig();
  const entries = useUnknown(chainId, account);
  return entries.map((entry) => <One key={entry.id} entry={entry} />);
}

function One({ entry }: { entry: SentEntry }) {
  const config = useConfig();
  const client = useChainClient();
  const wagmi = useWagmi();
  const queries = useQueryClient();
  const { data, isError } = useQuery({
    queryKey: ["sent", entry.id],
    refetchInterval: AGAIN_MS,
    queryFn: async () => (await outcomeOf(config, client, wagmi, entry)) ?? null,
  });
  const { account, label, id, kind } = entry;
  useEffect(() => {
    if (!data?.done) return;
    noteDone({ account, label, transaction: data.transaction });
    forgetSent(config.chainId, id);
    void queries.invalidateQueries();
  }, [data, account, label, id, config.chainId, queries]);
  const forget = () => {
    forgetSent(config.chainId, id);
  };
  const failed = data?.done === false;
  return (
    <div className="note warn" role="status" data-testid="unknown">
      <strong>{foreign(label, 80)}:</strong>{" "}
      {failed
        ? "it was sent, and failed on chain; nothing of it was done."
        : "it was sent, and is not known to be done. It may still be: this page keeps looking, and does not send it again."}{" "}
      {isError && "The endpoint gives no answer now. "}
      {kind === "transaction" && <Transaction hash={hashOf(entry)} />}
      <p>
        <button type="button" onClick={forget}>
          {failed ? "I have seen it" : "It was dropped: let me do it again"}
        </button>
      </p>
    </div>
  );
}
