#!/usr/bin/env node
import { keepAlive } from './keep-alive.js';
import { processIo } from './cli-io.js';
import { runCli } from './program.js';

void keepAlive(() => runCli(process.argv.slice(2), processIo)).then((exitCode) => {
  process.exitCode = exitCode;
});
