import type { ReactNode } from "react";

import { messageOf } from "./message.ts";

/** The box that tells of an error, with what can be done. */
export function Failure({
  title = "This cannot be shown",
  error,
  onRetry,
  children,
}: {
  title?: string;
  error: unknown;
  onRetry?: (() => void) | undefined;
  children?: ReactNode;
}) {
  const details =
    error instanceof Error
      ? [error.name, error.cause instanceof Error ? error.cause.message : ""].filter((text) => text !== "").join(": ")
      : "";
  return (
    <div className="note bad" role="alert">
      <strong>{title}</strong>
      <p className="break">{messageOf(error).slice(0, 600)}</p>
      {children}
      {onRetry && (
        <p>
          <button type="button" onClick={onRetry}>
            Try again
          </button>
        </p>
      )}
      {details !== "" && (
        <details>
          <summary>Details</summary>
          <pre>{details.slice(0, 2000)}</pre>
        </details>
      )}
    </div>
  );
}
