import { Badge } from "./badge.tsx";

/** A figure of the indexer's beside the chain's own, where both are known. */
export interface Compared {
  readonly what: string;
  readonly indexer: string;
  readonly chain: string;
}

/** Says whether what the indexer tells is what the chain says. Differences of a block or two pass by themselves. */
export function CheckedAgainstChain({
  figures,
  block,
}: {
  figures: readonly Compared[] | undefined;
  block: number | undefined;
}) {
  if (!figures) return <p className="soft small">Comparing with the chain…</p>;
  const wrong = figures.filter(({ indexer, chain }) => indexer !== chain);
  if (wrong.length === 0) {
    return (
      <p className="small">
        <Badge status="same on chain" meaning="good" />{" "}
        <span className="soft">
          {figures.map(({ what }) => what).join(", ")} compared at block {String(block)}.
        </span>
      </p>
    );
  }
  return (
    <div className="note warn" role="status">
      <strong>The chain says something else.</strong> The chain is right; the indexer may be a moment behind, or wrong.
      <ul>
        {wrong.map(({ what, indexer, chain }) => (
          <li key={what}>
            {what}: {chain} on chain, {indexer.slice(0, 90)} by the indexer
          </li>
        ))}
      </ul>
    </div>
  );
}
