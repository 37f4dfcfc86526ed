import { useState } from "react";
import type { Address as AddressText } from "viem";

import { useChainClient } from "../chain/client.ts";
import { useConfig } from "../config.ts";
import { counted, span, utc } from "../ui/format.ts";
import { usePasskey } from "./account.ts";
import { Act } from "./act.tsx";
import { hostHasPasskeys } from "./passkey.ts";
import { FindPasskey, useAccountState } from "./passkey-card.tsx";
import { accountCalls, isKeyOf, passkeyFor } from "./passkey-keys.ts";
import { forget, keep, keptAccount, keptFor } from "./recovery-kept.ts";

/** For the wallet that an account names: it replaces the account's passkeys by one of this device, after the delay. */
export function Recover({ wallet }: { wallet: AddressText }) {
  const { chainId } = useConfig();
  // A recovery takes days: what was begun here is found again.
  const [begun] = useState(() => keptAccount(chainId));
  const [text, setText] = useState(begun ?? "");
  const account = /^0x[0-9a-fA-F]{40}$/.test(text.trim()) ? (text.trim() as AddressText) : undefined;
  return (
    <details open={begun !== undefined}>
      <summary>Recover a passkey account whose recovery wallet this is</summary>
      <div className="form">
        <label>
          Account to recover
          <input
            value={text}
            spellCheck={false}
            onChange={({ target }) => {
              setText(target.value);
            }}
          />
        </label>
      </div>
      {account && <Recovery key={account} account={account} wallet={wallet} />}
    </details>
  );
}

/** A recovery of one account: how it stands, and what its wallet may do now. */
function Recovery({ account, wallet }: { account: AddressText; wallet: AddressText }) {
  const config = useConfig();
  const client = useChainClient();
  const [, setPasskey] = usePasskey();
  const { data } = useAccountState(account);
  const [finished, setFinished] = useState(false);
  const calls = accountCalls(account);
  if (data === undefined) return null;
  if (data === null) return <p>There is no account at this address.</p>;
  if (data.wallet.toLowerCase() !== wallet.toLowerCase()) {
    return <p>This wallet is not the recovery wallet of that account.</p>;
  }
  if (finished) {
    return (
      <div className="note" data-testid="recovered">
        <p>The recovery is finished. The passkey that replaces all others was made in another browser: use it there,</p>
        <p>or here, if your devices share their passkeys.</p>
        <FindPasskey known={account} />
      </div>
    );
  }
  const isUnderWay = data.readyAt !== 0;
  const made = keptFor(config.chainId, account);
  const own = isUnderWay ? made.find((each) => isKeyOf(data.key, each)) : undefined;
  return (
    <>
      <p data-testid="recovery">
        {!isUnderWay &&
          `A passkey of this device replaces all others after ${counted(data.delayDays, "day")}, in which any of them can stop it.`}
        {isUnderWay && data.readyAt > data.now && (
          <>
            The recovery can be finished in {span(data.readyAt - data.now)}, at {utc(data.readyAt)}.
          </>
        )}
        {isUnderWay && data.readyAt <= data.now && "The recovery can be finished now."}
      </p>
      {isUnderWay && (
        <p>
          The new passkey is <span className="mono">{data.key.x.slice(0, 12)}…</span>
          {own
            ? ", made in this browser."
            : ", made in another browser, or in this one before its storage was cleared. If it is lost, begin again."}
        </p>
      )}
      {!isUnderWay && made.length > 0 && (
        <p>A recovery that was begun here was never sent, was stopped, or has been finished elsewhere.</p>
      )}
      {!hostHasPasskeys() && (
        <p>A passkey belongs to a host with a name: begin the recovery at the page’s own domain.</p>
      )}
      <div className="row">
        <Act
          label={isUnderWay ? "Begin the recovery again" : "Begin the recovery"}
          disabled={!hostHasPasskeys()}
          plan={async () => {
            const passkey = await passkeyFor(config, client, account);
            keep(config.chainId, passkey);
            return {
              calls: [calls.startRecovery(passkey.publicKey)],
              notes: [
                isUnderWay
                  ? `Another new passkey is made; the ${counted(data.delayDays, "day")} begin anew.`
                  : "The new passkey is made; keep the device.",
              ],
            };
          }}
        />
        {isUnderWay && (
          <Act
            label="Finish the recovery"
            disabled={data.readyAt > data.now}
            plan={() => ({
              calls: [calls.finishRecovery()],
              notes: [`It removes ${counted(data.keys.length, "passkey")} and leaves the new one alone.`],
            })}
            onDone={() => {
              forget(config.chainId, account);
              if (own) setPasskey(own);
              else setFinished(true);
            }}
          />
        )}
      </div>
    </>
  );
}
