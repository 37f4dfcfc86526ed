/** What a process of the transfer benchmark does. */
export type Job =
  | { readonly kind: "serve-file"; readonly file: string }
  | { readonly kind: "serve-store"; readonly directory: string; readonly granted: boolean }
  | { readonly kind: "sha256"; readonly file: string }
  /** By Node's own client, as fast as it can; to a file if one is named. */
  | { readonly kind: "http"; readonly url: string; readonly hashing: boolean; readonly file?: string }
  | { readonly kind: "add"; readonly file: string; readonly directory: string }
  /** Seals a file, as before it is stored for a confidential task. */
  | { readonly kind: "seal"; readonly file: string; readonly to: string }
  | {
      readonly kind: "fetch";
      /** Whether access is controlled, as between agents. */
      readonly granted: boolean;
      readonly cid: string;
      readonly peers: readonly string[];
      readonly directory: string;
      /** Also pinned, and so made durable. */
      readonly pin: boolean;
      /** What comes is sealed, and written to a file as it is opened. */
      readonly sealed?: boolean;
    };

/** Where a server is reached. */
export interface Served {
  readonly addresses: readonly string[];
}

/** What a client measured. */
export interface Measured {
  readonly milliseconds: number;
  /** Processor time, milliseconds. */
  readonly processor: number;
  /** Maximum resident memory, MiB. */
  readonly peak: number;
  /** A digest or CID, by which one sees that it did what it should. */
  readonly result: string;
}
