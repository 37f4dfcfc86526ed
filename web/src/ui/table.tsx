import type { ReactNode } from "react";

/** A column of a table: its heading, with the unit, and what is in it. */
export interface Column<T> {
  readonly title: string;
  readonly number?: boolean;
  readonly cell: (row: T) => ReactNode;
}

/** A table that scrolls sideways where it does not fit; with a row of placeholders for each that is on its way. */
export function Table<T>({
  label,
  columns,
  rows,
  keyOf,
  empty,
  expected = 5,
}: {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[] | undefined;
  keyOf: (row: T) => string | number;
  empty: ReactNode;
  expected?: number;
}) {
  if (rows?.length === 0) return <p className="empty">{empty}</p>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, number = false }) => (
              <th key={title} scope="col" className={number ? "number" : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined
            ? Array.from({ length: expected }, (_, i) => (
                <tr key={i} aria-hidden="true">
                  {columns.map(({ title, number = false }) => (
                    <td key={title} className={number ? "number" : undefined}>
                      <span className="blank" />
                    </td>
                  ))}
                </tr>
              ))
            : rows.map((row) => (
                <tr key={keyOf(row)}>
                  {columns.map(({ title, number = false, cell }) => (
                    <td key={title} className={number ? "number" : undefined}>
                      {cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
    </div>
  );
}

/** Asks for the rest of a list. */
export function More({
  query,
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  if (!query.hasNextPage) return null;
  return (
    <p>
      <button
        type="button"
        disabled={query.isFetchingNextPage}
        onClick={() => {
          query.fetchNextPage();
        }}
      >
        {query.isFetchingNextPage ? "Loading more" : "Show more"}
      </button>
    </p>
  );
}
