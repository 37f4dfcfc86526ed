#!/usr/bin/env node
import { inWords, program } from "./program.ts";

await program().parseAsync(inWords(process.argv.slice(2)), { from: "user" });
