import { Link, useParams } from "wouter";

import type { Hit } from "../../api/generated.ts";
import { useIndexer } from "../../api/queries.ts";
import { foreign } from "../../ui/format.ts";
import { Address, IdLink, pathOf } from "../../ui/links.tsx";
import { Card, Loaded, Page } from "../../ui/page.tsx";
import { Table } from "../../ui/table.tsx";

/** What an id, an address or a CID names. */
export default function SearchPage() {
  const { q = "" } = useParams<{ q: string }>();
  const asked = decoded(q).trim().slice(0, 128);
  const query = useIndexer("/v1/search", { q: asked }, { enabled: asked !== "" });
  return (
    <Page title="Search" asOf={query.data?.asOf}>
      <Card title={<span className="mono break">{foreign(asked, 130)}</span>} source="Source: indexer">
        <Loaded query={query} blank={<Hits rows={undefined} />}>
          {({ items }) => <Hits rows={items} />}
        </Loaded>
      </Card>
    </Page>
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function Hits({ rows }: { rows: readonly Hit[] | undefined }) {
  return (
    <Table
      label="What was found"
      rows={rows}
      keyOf={({ kind, id, as }) => [kind, id, as].join(" ")}
      expected={3}
      empty="Nothing here has this id, address or CID. Ids are numbers; addresses and digests begin with 0x; CIDs are version 1."
      columns={[
        { title: "Found", cell: (hit) => <Found hit={hit} /> },
        { title: "As", cell: ({ as }) => foreign(as, 60) },
      ]}
    />
  );
}

function Found({ hit: { kind, id } }: { hit: Hit }) {
  if (kind === "keeper") return <Address value={id.slice(0, 60)} />;
  if (kind === "checkpoint") {
    const leaseId = /^\d+/.exec(id)?.[0] ?? id;
    return <Link href={pathOf("lease", leaseId)}>checkpoint of lease {foreign(leaseId, 12)}</Link>;
  }
  return <IdLink kind={kind} id={/^\d{1,10}$/.test(id) ? id : "0"} />;
}
