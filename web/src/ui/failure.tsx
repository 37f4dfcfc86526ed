import type { ReactNode } from "react";

/** What an error says to people: its message, without the dump that libraries put behind it. */
export function messageOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null) return "Something went wrong.";
  if ("shortMessage" in error && typeof error.shortMessage === "string") return error.shortMessage;
  return error instanceof Error && error.message !== "" ? error.message : "Something went wrong.";
}

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
