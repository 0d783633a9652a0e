// Floods, fuzzing and memory at full size: `npm run test:long`. One worker, because they measure.
import base from '../../jest.config.mjs';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '../..',
  testRegex: ['/test/stress/.*\\.stress-spec\\.ts$'],
  testTimeout: 300_000,
  maxWorkers: 1,
};
