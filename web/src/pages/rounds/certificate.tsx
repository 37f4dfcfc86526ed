import { useMemo, useState } from "react";

import { formatPrice } from "@verai/protocol/money/ver";
import type { Round } from "../../api/generated.ts";
import { useSettled } from "../../chain/reader.ts";
import type { Checked, SettledRound } from "../../chain/round.ts";
import { Badge } from "../../ui/badge.tsx";
import { Failure } from "../../ui/failure.tsx";
import { count, foreign } from "../../ui/format.ts";
import { Address, IdLink, Transaction } from "../../ui/links.tsx";
import { Card } from "../../ui/page.tsx";
import { Market } from "./market.tsx";

/** The settled round, read from the chain and checked here. */
interface Found {
  readonly settled: SettledRound;
  readonly checked: Checked | undefined;
  readonly refusal: string | undefined;
  readonly ms: number;
}

/** The proof that a round's allocation is the optimum, checked in this browser, and the market that it found. */
export function Certificate({ round }: { round: Round }) {
  const query = useSettled(["round", round.id, round.openedBlock], async (reader): Promise<Found> => {
    const { checkRound, readSettledRound } = await import("../../chain/round.ts");
    const settled = await readSettledRound(reader, round.id, {
      openedBlock: round.openedBlock,
      endedBlock: round.block,
    });
    const began = performance.now();
    try {
      return { settled, checked: checkRound(settled), refusal: undefined, ms: performance.now() - began };
    } catch (error) {
      return {
        settled,
        checked: undefined,
        refusal: error instanceof Error ? error.message : String(error),
        ms: performance.now() - began,
      };
    }
  });
  return (
    <>
      <Card
        title="The certificate, checked here"
        source="Source: chain alone. Nobody is trusted, this page’s host apart."
      >
        {query.isError && (
          <Failure title="The round cannot be checked here" error={query.error} onRetry={() => void query.refetch()} />
        )}
        {query.isPending && <p style={{ minHeight: "236px" }}>Reading the listings and the post from the chain…</p>}
        {query.data && <Result found={query.data} />}
      </Card>
      {query.data && (
        <Card
          title="The market"
          source="Supply by price and demand by what it pays, in the classes of the round; chain"
        >
          <div className="markets">
            {query.data.settled.round.classes.map((listed, k) => (
              <Market
                key={listed.id}
                listed={listed}
                tasks={query.data.settled.round.tasks}
                flows={query.data.checked?.verified.flows ?? []}
                clearing={query.data.checked?.verified.clearing[k]}
                granted={query.data.checked?.verified.grants[k] ?? []}
              />
            ))}
          </div>
        </Card>
      )}
    </>
  );
}

function Result({ found: { settled, checked, refusal, ms } }: { found: Found }) {
  const { round, keeper, transaction, openedBlock, post } = settled;
  const nodes = round.classes.reduce((sum, each) => sum + each.nodes.length, 0);
  if (!checked) {
    return <Failure title="The certificate does not hold" error={refusal ?? ""} />;
  }
  const { verified, objective, sameLeases } = checked;
  const open =
    round.tasks.reduce((sum, { units }) => sum + units, 0) - verified.rows.reduce((sum, { units }) => sum + units, 0);
  const steps: readonly (readonly [holds: boolean, what: string])[] = [
    [
      true,
      `Every lease is a listed node within its free units, and units of tasks add up (${count(verified.rows.length)} rows, ${count(open)} units open).`,
    ],
    [true, "No task pays more than its cheapest choice, and none stays open that a class would serve at its price."],
    [true, "In each class all units below the clearing price are leased: nothing cheaper was skipped."],
    [true, "At the marginal price the seed chose who is filled, and it ordered who serves which units."],
    [
      sameLeases,
      sameLeases
        ? "The leases that the contracts granted are exactly those that follow from it."
        : "The contracts granted other leases than those that follow from the post.",
    ],
  ];
  return (
    <>
      <p>
        <Badge status={sameLeases ? "holds" : "does not hold"} meaning={sameLeases ? "good" : "bad"} /> The allocation
        is the minimum of the linear program. Checked in {ms < 1 ? "less than 1" : count(Math.round(ms))} ms over{" "}
        {count(round.tasks.length)} tasks and {count(nodes)} listed nodes, as of block {count(openedBlock)}.
      </p>
      <ul className="checks">
        {steps.map(([holds, what]) => (
          <li key={what} className={holds ? "holds" : "fails"}>
            <span aria-hidden="true">{holds ? "✓" : "✗"}</span> {what}
          </li>
        ))}
      </ul>
      <dl className="facts">
        <dt>Minimum found</dt>
        <dd>
          {formatPrice(objective / 1024n)} VER{" "}
          <span className="soft">
            (what the program minimises: asks, surcharges and open units at their tasks’ maximum prices)
          </span>
        </dd>
        <dt>Paid for the leased units</dt>
        <dd>
          {formatPrice(verified.rows.reduce((sum, { price, units }) => sum + BigInt(price) * BigInt(units), 0n))} VER
        </dd>
        <dt>Posted by</dt>
        <dd>
          <Address value={keeper.toLowerCase()} /> in <Transaction hash={transaction} />, {count(post.length)} bytes
        </dd>
      </dl>
      <SolveAgain found={settled} objective={objective} />
      <details>
        <summary>Why each task got what it got</summary>
        <Reasons found={settled} />
      </details>
    </>
  );
}

interface Solved {
  readonly solver: string;
  readonly same: boolean;
  readonly text: string;
}

/** Solves the linear program here, and compares what comes out with what was posted. */
function SolveAgain({ found: { round, post }, objective }: { found: SettledRound; objective: bigint }) {
  const [solved, setSolved] = useState<readonly Solved[] | "busy">();
  const solve = async () => {
    setSolved("busy");
    const { solveAgain } = await import("./solve-again.ts");
    // Lets the button change before the work begins.
    await new Promise((resolve) => setTimeout(resolve, 30));
    setSolved(solveAgain(round, post, objective));
  };
  return (
    <div className="solve" aria-live="polite">
      <button type="button" disabled={solved === "busy"} onClick={() => void solve()}>
        {solved === "busy" ? "Solving" : "Solve it again here"}
      </button>
      {Array.isArray(solved) && (
        <ul className="checks">
          {(solved as readonly Solved[]).map(({ solver, same, text }) => (
            <li key={solver} className={same ? "holds" : "fails"}>
              <span aria-hidden="true">{same ? "✓" : "✗"}</span> <strong>{solver}</strong>: {text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Reasons({ found: { round } }: { found: SettledRound }) {
  const [reasons, setReasons] =
    useState<readonly { readonly taskId: number; readonly sentences: readonly string[] }[]>();
  useMemo(() => {
    void import("./solve-again.ts").then(({ reasonsOf }) => {
      setReasons(reasonsOf(round));
    });
  }, [round]);
  if (!reasons) return <p>Thinking</p>;
  return (
    <ul>
      {reasons.map(({ taskId, sentences }) => (
        <li key={taskId}>
          <IdLink kind="task" id={taskId} />: {sentences.map((each) => foreign(each, 400)).join(" ")}
        </li>
      ))}
    </ul>
  );
}
