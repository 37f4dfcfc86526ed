#!/usr/bin/env node
import { runProgram } from "@verai/process/program";
import { inWords, program } from "./program.ts";

process.argv.splice(2, Infinity, ...inWords(process.argv.slice(2)));
await runProgram(program());
