import { Link } from "wouter";

import { useConfig } from "../config.ts";
import { foreign, short } from "./format.ts";

/** Kinds of things that have a page of their own. */
export type Kind = "task" | "lease" | "node" | "round" | "batch" | "class";

const FOLDERS: Readonly<Record<Kind, string>> = {
  task: "tasks",
  lease: "leases",
  node: "nodes",
  round: "rounds",
  batch: "batches",
  class: "classes",
};

/** The route of a thing's page. */
export function pathOf(kind: Kind, id: number | string): string {
  return `/${FOLDERS[kind]}/${String(id)}`;
}

/** An id that leads to its page; a dash for none. */
export function IdLink({ kind, id, bare = false }: { kind: Kind; id: number | string | null; bare?: boolean }) {
  if (id === null) return <span className="soft">–</span>;
  return <Link href={pathOf(kind, id)}>{bare ? String(id) : `${kind} ${String(id)}`}</Link>;
}

/** A class by its name, which its deployer chose. */
export function ClassLink({ id, name }: { id: number; name: string | undefined }) {
  return <Link href={pathOf("class", id)}>{name === undefined ? `class ${String(id)}` : foreign(name, 40)}</Link>;
}

/** An address that leads to all that it is: owner, operator, keeper, developer. */
export function Address({ value, full = false }: { value: string | null; full?: boolean }) {
  if (value === null) return <span className="soft">–</span>;
  return (
    <Link href={`/search/${value}`} className="mono break" title={value}>
      {full ? value : short(value)}
    </Link>
  );
}

/** A CID that leads to all where it appears. */
export function Cid({ value, full = false }: { value: string | null; full?: boolean }) {
  if (value === null) return <span className="soft">–</span>;
  const text = foreign(value, 130);
  return (
    <Link href={`/search/${encodeURIComponent(value)}`} className="mono break" title={text}>
      {full ? text : short(text)}
    </Link>
  );
}

/** A transaction: a link to the explorer where one is configured. */
export function Transaction({ hash }: { hash: string }) {
  const { explorerUrl } = useConfig();
  if (explorerUrl === undefined || !/^0x[0-9a-f]{64}$/.test(hash)) {
    return (
      <span className="mono" title={foreign(hash)}>
        {short(foreign(hash))}
      </span>
    );
  }
  return (
    <a className="mono" href={`${explorerUrl}/tx/${hash}`} rel="noreferrer noopener" target="_blank" title={hash}>
      {short(hash)}
    </a>
  );
}
