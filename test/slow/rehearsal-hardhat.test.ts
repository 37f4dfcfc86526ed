import { test } from "node:test";

import { rehearse } from "../support/rehearsal.ts";

test("BASE Sepolia, rehearsed on hardhat", { timeout: 3_600_000 }, (context) => rehearse(context, "hardhat"));
