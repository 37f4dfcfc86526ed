/** Words of a status and how they are meant; the word is always there, never the colour alone. */
const MEANING: Readonly<Record<string, "good" | "warn" | "bad">> = {
  active: "good",
  open: "good",
  settled: "good",
  done: "good",
  paid: "good",
  delivered: "good",
  closing: "warn",
  draining: "warn",
  unbonding: "warn",
  moving: "warn",
  seeding: "warn",
  settling: "warn",
  drawing: "warn",
  released: "warn",
  disputed: "bad",
  expired: "bad",
  rejected: "bad",
  aborted: "bad",
};

const SIGNS = { good: "●", warn: "◐", bad: "▲" } as const;

/** A status in a word. */
export function Badge({
  status,
  meaning = MEANING[status],
}: {
  status: string;
  meaning?: "good" | "warn" | "bad" | undefined;
}) {
  return (
    <span className={`badge ${meaning ?? ""}`}>
      {meaning && <span aria-hidden="true">{SIGNS[meaning]}</span>}
      {status.slice(0, 40)}
    </span>
  );
}
