import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/**
 * Structured logs, one JSON object a line.
 *
 * Anything that could be a key is blanked wherever it appears in a logged object.
 *
 * @param to Standard error for programs whose output is their result.
 */
export function createLogger(name: string, level: string, to: "stdout" | "stderr" = "stdout"): Logger {
  const options = {
    name,
    level,
    redact: {
      paths: ["privateKey", "passphrase", "mnemonic", "*.privateKey", "*.passphrase", "*.mnemonic"],
      censor: "[redacted]",
    },
    serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
  };
  return to === "stderr" ? pino(options, pino.destination(2)) : pino(options);
}
