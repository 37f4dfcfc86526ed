#!/usr/bin/env node
import { runProgram } from "@verai/process/program";
import { program } from "./program.ts";

await runProgram(program());
