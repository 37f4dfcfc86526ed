/** What an error says to people: its message, without the dump that libraries put behind it. */
export function messageOf(error: unknown): string {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null) return "Something went wrong.";
  if ("shortMessage" in error && typeof error.shortMessage === "string") return error.shortMessage;
  return error instanceof Error && error.message !== "" ? error.message : "Something went wrong.";
}
