import { type ReactNode, useEffect, useState } from "react";

import type { AsOf } from "../api/generated.ts";
import { useAgreement, useHead } from "../chain/head.ts";
import { useConfig } from "../config.ts";
import { Failure } from "./failure.tsx";
import { count, span, utc } from "./format.ts";

/** Blocks that history may be behind the chain before the page says so. */
const BEHIND = 10;
/** Time for an answer of the chain's endpoint after which the page says that it is slow, milliseconds. */
const SLOW_MS = 2_000;

/** A page: its title, as of which block it is, and what it shows. */
export function Page({
  title,
  asOf,
  actions,
  children,
}: {
  title: ReactNode;
  asOf: AsOf | undefined;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const { network } = useConfig();
  const words = typeof title === "string" ? title : "DRMP";
  useEffect(() => {
    document.title = `${words} · ${network} · DRMP`;
  }, [words, network]);
  return (
    <>
      <div className="page-head">
        <h1>{title}</h1>
        {actions}
        <AsOfLine asOf={asOf} />
      </div>
      <Trust asOf={asOf} />
      {children}
    </>
  );
}

/** As of which block a page is. */
function AsOfLine({ asOf }: { asOf: AsOf | undefined }) {
  const head = useHead();
  const slow = useSlow(head.isFetching) && !head.isError ? ", and waiting for the chain’s endpoint, which is slow" : "";
  if (!asOf) return <p className="as-of">Waiting for the indexer{slow}</p>;
  const behind = head.data ? head.data.number - asOf.block : undefined;
  return (
    <p className="as-of" data-testid="as-of">
      As of block <strong>{count(asOf.block)}</strong>,{" "}
      <time dateTime={new Date(asOf.time * 1000).toISOString()}>{utc(asOf.time)}</time>
      {behind !== undefined && (behind > 1 ? `, ${count(behind)} blocks behind the chain` : ", the chain’s newest")}
      {slow}
    </p>
  );
}

/** Whether something has been waited for longer than usual. */
function useSlow(waits: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (!waits) return;
    const timer = setTimeout(() => {
      setSlow(true);
    }, SLOW_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [waits]);
  return slow;
}

/** Says where the indexer and the chain do not agree. */
function Trust({ asOf }: { asOf: AsOf | undefined }) {
  const head = useHead();
  const agreement = useAgreement(asOf);
  if (agreement.data === "other") {
    return (
      <div className="note bad" role="alert">
        <strong>The indexer follows another chain.</strong> Its block {count(asOf?.block ?? 0)} has the hash{" "}
        <span className="mono break">{asOf?.hash.slice(0, 80)}</span>, which is not that block’s on the chain that this
        page reads. Figures from it may be of another network, or made up.
      </div>
    );
  }
  if (asOf && head.data && head.data.number - asOf.block > BEHIND) {
    return (
      <div className="note warn" role="status">
        <strong>History is behind.</strong> The indexer is {count(head.data.number - asOf.block)} blocks (
        {span(head.data.time - asOf.time)}) behind the chain: what happened since is not shown yet.
      </div>
    );
  }
  if (asOf && head.data && asOf.block - head.data.number > BEHIND) {
    return (
      <div className="note warn" role="status">
        <strong>The chain’s endpoint is behind.</strong> The indexer tells of block {count(asOf.block)}, the endpoint
        knows {count(head.data.number)}.
      </div>
    );
  }
  if (head.isError) {
    return (
      <Failure
        title="The chain cannot be reached: nothing on this page can be checked against it"
        error={head.error}
        onRetry={() => void head.refetch()}
      />
    );
  }
  return null;
}

/** A part of a page with a heading and where its figures come from. */
export function Card({
  title,
  source,
  actions,
  children,
}: {
  title: ReactNode;
  source?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="card">
      <header>
        <h2>{title}</h2>
        {actions}
        {source !== undefined && <span className="source">{source}</span>}
      </header>
      {children}
    </section>
  );
}

interface Asked<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  readonly refetch: () => unknown;
}

/** What was asked for: a placeholder until it comes, the error if it does not, and both where what is shown is old. */
export function Loaded<T>({
  query,
  blank,
  children,
}: {
  query: Asked<T>;
  blank: ReactNode;
  children: (data: T) => ReactNode;
}) {
  const failure = query.error && (
    <Failure
      title={query.data === undefined ? "No answer" : "This is not the newest: the last answer failed"}
      error={query.error}
      onRetry={() => void query.refetch()}
    />
  );
  if (query.data === undefined) return failure ?? blank;
  return (
    <>
      {failure}
      {children(query.data)}
    </>
  );
}
