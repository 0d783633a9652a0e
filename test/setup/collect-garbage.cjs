// Runs before every test file. A file loads Nest and axios anew, and leaves some 15 MB behind. V8 collects them only at
// about 1 GB, and the exit of a worker of that size takes about half a second, which Jest reports as a leak.
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

const MAX_HEAP_BYTES = 256 * 1024 * 1024;

if (process.memoryUsage().heapUsed > MAX_HEAP_BYTES) {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  setFlagsFromString('--no-expose-gc');
}
