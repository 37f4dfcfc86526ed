import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { formatEther } from "viem";

import { useConfig } from "../config.ts";
import { Failure } from "../ui/failure.tsx";
import { exactVer } from "../ui/format.ts";
import { Transaction } from "../ui/links.tsx";
import { type Actor, type Sent, useActor } from "./account.ts";
import type { Call } from "./calls.ts";
import { noteDone } from "./done.tsx";
import { type ActionError, explained } from "./explain.ts";
import { UnknownOutcome } from "./outcome.ts";
import { useUnknown } from "./sent.ts";

/** What is about to be done. */
export interface Plan {
  readonly calls: readonly Call[];
  /** VER that it takes from the account, wei. */
  readonly ver?: bigint;
  /** What else the account should know before it confirms. */
  readonly notes?: readonly string[];
}

type State =
  | { readonly at: "rest" }
  | { readonly at: "looking" }
  | { readonly at: "asking"; readonly plan: Plan; readonly cost: bigint; readonly subject: string }
  | { readonly at: "sending"; readonly step: string }
  | { readonly at: "done"; readonly sent: Sent }
  | { readonly at: "failed"; readonly error: ActionError };

/** A button that says what an action costs, asks, does it, and says what became of it. */
export function Act({
  label,
  plan,
  onDone,
  subject = "",
  primary = false,
  disabled = false,
}: {
  label: string;
  /** Reads the chain and says what is to be done; throws what keeps it from being done. */
  plan: (actor: Actor) => Promise<Plan> | Plan;
  onDone?: (sent: Sent) => void;
  /** What the plan is made of, as text: what is to be confirmed is void once it is another. */
  subject?: string;
  primary?: boolean;
  disabled?: boolean;
}) {
  const actor = useActor();
  const { chainId } = useConfig();
  const queries = useQueryClient();
  const [state, setState] = useState<State>({ at: "rest" });
  // What was sent and is not known yet is not sent again: the account's page looks for it.
  const unknown = useUnknown(chainId, actor?.address).some((each) => each.label === label);
  const fail = async (error: unknown) => {
    setState({ at: "failed", error: await explained(error) });
  };
  const look = async () => {
    if (!actor) return;
    setState({ at: "looking" });
    try {
      const made = await plan(actor);
      const next = { ...made, calls: await actor.prepare(made.calls) };
      setState({ at: "asking", plan: next, cost: await actor.costOf(next.calls), subject });
    } catch (error) {
      await fail(error);
    }
  };
  const go = async ({ calls }: Plan) => {
    if (!actor) return;
    setState({ at: "sending", step: "Trying it on the chain." });
    try {
      const sent = await actor.send(calls, label, (step) => {
        setState({ at: "sending", step });
      });
      noteDone({ account: actor.address, label, transaction: sent.transaction });
      setState({ at: "done", sent });
      await queries.invalidateQueries();
      onDone?.(sent);
    } catch (error) {
      if (error instanceof UnknownOutcome) rest();
      else await fail(error);
    }
  };
  const rest = () => {
    setState({ at: "rest" });
  };
  const busy = state.at === "looking" || state.at === "sending";
  return (
    <div className="act">
      <button
        type="button"
        className={primary ? "primary" : ""}
        disabled={disabled || busy || unknown || !actor}
        onClick={() => void look()}
      >
        {label}
      </button>
      <div role="status">
        {unknown && state.at !== "sending" && <p className="soft">Sent before, and not known yet: see above.</p>}
        {state.at === "looking" && <p className="soft">Looking what it costs…</p>}
        {state.at === "asking" && state.subject !== subject && (
          <p className="soft">It was changed since: press {label} again.</p>
        )}
        {state.at === "asking" && state.subject === subject && (
          <Asking
            kind={actor?.kind}
            plan={state.plan}
            cost={state.cost}
            onGo={() => void go(state.plan)}
            onCancel={rest}
          />
        )}
        {state.at === "sending" && <p>{state.step}</p>}
        {state.at === "done" && (
          <p>
            Done: <Transaction hash={state.sent.transaction} />
          </p>
        )}
      </div>
      {state.at === "failed" && (
        <Failure title={`${label}: not done`} error={state.error} onRetry={() => void look()} />
      )}
    </div>
  );
}

function Asking({
  kind,
  plan,
  cost,
  onGo,
  onCancel,
}: {
  kind: Actor["kind"] | undefined;
  plan: Plan;
  cost: bigint;
  onGo: () => void;
  onCancel: () => void;
}): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The button that was pressed is disabled while the chain is asked, and loses the focus: who uses the keyboard goes on here.
    const at = document.activeElement;
    if (at === document.body || box.current?.closest(".act")?.contains(at) === true) box.current?.focus();
  }, []);
  return (
    <div className="note" ref={box} tabIndex={-1} role="group" aria-label="Before you confirm">
      <ol>
        {plan.calls.map(({ what }, i) => (
          <li key={i}>{what}</li>
        ))}
      </ol>
      {plan.notes?.map((note) => (
        <p key={note}>{note}</p>
      ))}
      <p data-testid="cost">
        {kind === "passkey"
          ? "Gas is paid for by the sponsor."
          : `Gas: about ${formatEther(cost)} ETH, L1 data fee included.`}{" "}
        {plan.ver !== undefined && plan.ver > 0n ? `It takes ${exactVer(plan.ver)}.` : "It takes no VER."}
      </p>
      <div className="row">
        <button type="button" className="primary" onClick={onGo}>
          Confirm
        </button>
        <button type="button" onClick={onCancel}>
          Not now
        </button>
      </div>
    </div>
  );
}
