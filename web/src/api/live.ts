import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { useConfig } from "../config.ts";

/** Pages are asked for again at most this often, milliseconds, however many blocks come. */
const AT_MOST_EVERY_MS = 2_000;

/** Follows the indexer's live updates while the page is looked at: what is shown is asked for again after a change. */
export function useLive(): void {
  const { indexerUrl } = useConfig();
  const client = useQueryClient();
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void client.invalidateQueries({ queryKey: ["indexer"] });
      }, AT_MOST_EVERY_MS);
    };
    const follow = () => {
      source?.close();
      source = undefined;
      if (document.hidden) return;
      source = new EventSource(`${indexerUrl.replace(/\/$/, "")}/v1/live`);
      source.addEventListener("block", changed);
      source.addEventListener("undone", changed);
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      clearTimeout(timer);
      source?.close();
    };
  }, [client, indexerUrl]);
}
