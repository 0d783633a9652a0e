// Says once, before the tests run, whether the suites that need a Redis will run. They start servers of their own.
import { spawnSync } from 'node:child_process';

export default function check() {
  const bins = [process.env.REDIS_SERVER_BIN, 'redis-server', 'valkey-server'];
  if (bins.some((bin) => bin && spawnSync(bin, ['--version']).status === 0)) return;
  const how = 'apt-get install redis-server, or set REDIS_SERVER_BIN to a redis-server, and run npm test again';
  if (process.env.REQUIRE_REDIS === '1') throw new Error(`REQUIRE_REDIS=1, but there is no redis-server: ${how}`);
  console.warn(`\nSkipped, because there is no redis-server: the suites in test/redis. To run them: ${how}`);
}
