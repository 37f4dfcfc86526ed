import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Address as AddressText } from "viem";

import { useChainClient } from "../chain/client.ts";
import { useConfig } from "../config.ts";
import { Failure } from "../ui/failure.tsx";
import { counted, span, utc } from "../ui/format.ts";
import { Address } from "../ui/links.tsx";
import { Card } from "../ui/page.tsx";
import { usePasskey } from "./account.ts";
import { Act } from "./act.tsx";
import { type ActionError, ActionError as Wrong, explained } from "./explain.ts";
import type { Passkey } from "./passkey.ts";
import { accountCalls, accountState, findPasskey, isKeyOf, passkeyFor } from "./passkey-keys.ts";

const ZERO = `0x${"00".repeat(20)}`;
const AGAIN_MS = 8_000;

function addressOf(text: string): AddressText {
  if (/^0x[0-9a-fA-F]{40}$/.test(text.trim())) return text.trim() as AddressText;
  throw new Wrong("AddressInvalid", `"${text.slice(0, 60)}" is no address: it has 0x and 40 hexadecimal digits.`);
}

function daysOf(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 30) return Number(text);
  throw new Wrong("DaysInvalid", `The delay is "${text.slice(0, 20)}" days; it has to be a whole number from 1 to 30.`);
}

/** What an account of passkeys is, looked at again and again: null if there is none at the address. */
export function useAccountState(account: AddressText | undefined) {
  const client = useChainClient();
  return useQuery({
    queryKey: ["chain", "passkeys", account],
    enabled: account !== undefined,
    refetchInterval: AGAIN_MS,
    queryFn: async () => (await accountState(client, account ?? "0x")) ?? null,
  });
}

/** The passkeys of the account, and the wallet that may recover it. */
export function Passkeys({ passkey }: { passkey: Passkey }) {
  const config = useConfig();
  const client = useChainClient();
  const { data } = useAccountState(passkey.account);
  const [wallet, setWallet] = useState("");
  const [days, setDays] = useState("7");
  const calls = accountCalls(passkey.account);
  return (
    <Card title="Passkeys and recovery" source="Read from the account’s contract">
      <p>
        {data === null && "The account comes to be by its first operation. "}
        An account takes up to four passkeys: make one on each device that you use, and name a wallet that may replace
        them all if they are lost.
      </p>
      {data?.keys.map(({ x, y }) => (
        <div key={x} className="own row">
          <span>
            Passkey <span className="mono">{x.slice(0, 12)}…</span>
            {isKeyOf({ x, y }, passkey) && " (this browser’s)"}
          </span>
          {!isKeyOf({ x, y }, passkey) && (
            <Act label={`Remove passkey ${x.slice(0, 8)}`} plan={() => ({ calls: [calls.removeKey(x, y)] })} />
          )}
        </div>
      ))}
      <Act
        label="Add a passkey"
        plan={async () => ({
          calls: [calls.addKey((await passkeyFor(config, client, passkey.account)).publicKey)],
          notes: ["The new passkey is made; confirm with the one that this browser uses."],
        })}
      />
      <p>
        Recovery wallet:{" "}
        {data && data.wallet !== ZERO ? (
          <>
            <Address value={data.wallet} />, after {counted(data.delayDays, "day")}
          </>
        ) : (
          "none"
        )}
      </p>
      {data && data.readyAt > 0 && (
        <div className="note warn" role="alert">
          <strong>The recovery wallet is replacing the passkeys.</strong> It can finish{" "}
          {data.readyAt > data.now ? `in ${span(data.readyAt - data.now)}, at ${utc(data.readyAt)}` : "now"}. If that is
          not your doing, stop it.
          <Act label="Stop the recovery" plan={() => ({ calls: [calls.cancelRecovery()] })} />
        </div>
      )}
      <div className="form">
        <label>
          Wallet that may recover the account
          <input
            value={wallet}
            spellCheck={false}
            onChange={({ target }) => {
              setWallet(target.value);
            }}
          />
        </label>
        <label>
          Days in which any passkey can stop it
          <input
            inputMode="numeric"
            value={days}
            onChange={({ target }) => {
              setDays(target.value);
            }}
          />
        </label>
      </div>
      <Act
        label="Name the recovery wallet"
        plan={() => ({ calls: [calls.setRecoveryWallet(addressOf(wallet), daysOf(days))] })}
      />
    </Card>
  );
}

/** For who has an account already: with a passkey of this device. @param known Its address, where the page knows it. */
export function FindPasskey({ known = "" }: { known?: string }) {
  const client = useChainClient();
  const [, setPasskey] = usePasskey();
  const [account, setAccount] = useState(known);
  const [error, setError] = useState<ActionError>();
  const find = async () => {
    setError(undefined);
    try {
      setPasskey(await findPasskey(client, addressOf(account)));
    } catch (reason) {
      setError(await explained(reason));
    }
  };
  return (
    <details open={known !== ""}>
      <summary>Use a passkey account that you have</summary>
      <div className="form">
        <label>
          Address of the account
          <input
            value={account}
            spellCheck={false}
            onChange={({ target }) => {
              setAccount(target.value);
            }}
          />
        </label>
      </div>
      <button type="button" onClick={() => void find()}>
        Use a passkey of this device
      </button>
      {error && <Failure title="Not found" error={error} />}
    </details>
  );
}
