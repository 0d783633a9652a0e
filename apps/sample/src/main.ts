import { describeSample } from './start-up/describe-sample.js';
import { onStopRequest } from './start-up/on-stop-request.js';
import { parseSettings } from './start-up/settings.js';
import { startSample } from './start-up/start-sample.js';
import { StartUpError } from './start-up/start-up-error.js';

try {
  const sample = await startSample(parseSettings(process.env, process.argv.slice(2)));
  onStopRequest(sample.stop);
  process.stdout.write(describeSample(sample));
} catch (error) {
  console.error(error instanceof StartUpError ? error.message : error);
  process.exitCode = 1;
}
