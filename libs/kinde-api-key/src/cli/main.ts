#!/usr/bin/env node
import { processIo } from './cli-io.js';
import { runCli } from './program.js';

void runCli(process.argv.slice(2), processIo).then((exitCode) => {
  process.exitCode = exitCode;
});
