/** What a check found. `wrong` has to be mended; `note` is worth knowing. */
export interface Finding {
  readonly level: "ok" | "note" | "wrong";
  readonly what: string;
  /** What is, and where it is not as it should be, what to do. */
  readonly says: string;
}

/** A finding that is fine if `holds`, and wrong otherwise. */
export function expected(what: string, holds: boolean, fine: string, wrong: string): Finding {
  return holds ? { level: "ok", what, says: fine } : { level: "wrong", what, says: wrong };
}
