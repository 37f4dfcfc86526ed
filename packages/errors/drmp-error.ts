/** More about an error; shown in structured logs. Never holds a key. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What an error knows beside code and message. */
export interface DrmpErrorOptions {
  readonly cause?: unknown;
  /** Whether the very same request may succeed later without anybody changing anything. Default: false. */
  readonly retryable?: boolean;
  readonly details?: ErrorDetails;
}

/**
 * The base of all errors of this project. The message says in one sentence what happened, the value, the bound and the
 * remedy; the code is stable and meant for programs.
 */
export abstract class DrmpError extends Error {
  readonly code: string;
  /** Whether the very same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: string, message: string, options: DrmpErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }

  /** The page of the repository that lists the code. */
  get docs(): string {
    return "docs/reference/errors.md";
  }

  /** This error and its causes, outermost first. */
  chain(): unknown[] {
    const errors: unknown[] = [this];
    for (let cause = this.cause; cause !== undefined && !errors.includes(cause);) {
      errors.push(cause);
      cause = cause instanceof Error ? cause.cause : undefined;
    }
    return errors;
  }
}

/** Whether an error is one of this project's that may go away by itself. */
export function isRetryable(error: unknown): boolean {
  return error instanceof DrmpError && error.retryable;
}
