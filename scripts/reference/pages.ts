import { apiPage } from "./api.ts";
import { configPage } from "./config.ts";
import { contractsPage } from "./contracts.ts";
import { errorsPage } from "./errors.ts";
import { webApi } from "./web-api.ts";

/** Generated pages, from the repository's root, and what makes each. */
export const PAGES: readonly (readonly [file: string, make: () => string])[] = [
  ["docs/reference/api.md", apiPage],
  ["docs/reference/config.md", configPage],
  ["docs/reference/contracts.md", contractsPage],
  ["docs/reference/errors.md", errorsPage],
  ["web/src/api/generated.ts", webApi],
];
