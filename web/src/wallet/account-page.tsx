import { useConfig } from "../config.ts";
import { exactVer, foreign, ver } from "../ui/format.ts";
import { Failure } from "../ui/failure.tsx";
import { Figure, Figures } from "../ui/figure.tsx";
import { Address } from "../ui/links.tsx";
import { Card, Page } from "../ui/page.tsx";
import { formatEther } from "viem";
import { useIndexer } from "../api/queries.ts";
import { useActor, usePasskey } from "./account.ts";
import { Act } from "./act.tsx";
import { callsOf } from "./calls.ts";
import { Connect, Leave, WrongNetwork } from "./connect.tsx";
import { LastDone } from "./done.tsx";
import { Claim, Deliveries, Nodes, Tasks } from "./lists.tsx";
import { OneTap } from "./one-tap.tsx";
import { Passkeys } from "./passkey-card.tsx";
import { Recover } from "./recover.tsx";
import { useClasses, useOwn } from "./own.ts";
import { RegisterForm } from "./register-form.tsx";
import { SubmitForm } from "./submit-form.tsx";
import { Unknown } from "./unknown.tsx";

/** What an account owns and may do, as owner, developer and keeper in one. */
export default function AccountPage() {
  const config = useConfig();
  const actor = useActor();
  const [passkey] = usePasskey();
  const own = useOwn(actor?.address);
  const status = useIndexer("/v1/network", {});
  const classes = useClasses();
  const calls = callsOf(config);
  return (
    <Page title="Account" asOf={status.data?.asOf} actions={actor && <Leave />}>
      <WrongNetwork />
      {!actor && <Connect />}
      <OneTap />
      {actor && (
        <>
          <Card
            title={actor.kind === "passkey" ? "Passkey account" : "Wallet"}
            source={`Read from ${foreign(config.network, 40)} itself, not from the indexer`}
          >
            <p data-testid="account">
              <Address value={actor.address} full />
            </p>
            <Figures>
              <Figure label="ETH" value={own.data && formatEther(own.data.eth)} more="pays for gas" />
              <Figure
                label="VER"
                value={own.data && ver(own.data.ver)}
                {...(own.data && { title: exactVer(own.data.ver) })}
              />
              <Figure label="Claimable" value={own.data && ver(own.data.claimable)} unit="VER" more="in the vault" />
            </Figures>
            {own.error && <Failure error={own.error} onRetry={() => void own.refetch()} />}
            <div className="row">
              {own.data && <Claim account={actor.address} claimable={own.data.claimable} />}
              {config.deployment["TestnetFaucet"] !== undefined && (
                <Act label="Take test VER" plan={() => ({ calls: [calls.drip()] })} />
              )}
            </div>
            <LastDone account={actor.address} />
            <Unknown account={actor.address} />
          </Card>
          <SubmitForm onDone={() => void own.refetch()} />
          {!own.data && !own.error && (
            <Card title="Your tasks and nodes" source="Read from the chain">
              <p className="soft" role="status">
                Asking the chain…
              </p>
            </Card>
          )}
          {own.data && (
            <>
              <Deliveries leases={own.data.leases} />
              <Tasks tasks={own.data.tasks} />
              <Nodes nodes={own.data.nodes} classes={classes.data ?? []} />
            </>
          )}
          <RegisterForm account={actor.address} />
          {passkey && <Passkeys passkey={passkey} />}
          {actor.kind === "wallet" && config.deployment["PasskeyAccountFactory"] !== undefined && (
            <Recover wallet={actor.address} />
          )}
        </>
      )}
    </Page>
  );
}
