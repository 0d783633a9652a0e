// Reports before the tests whether the suites that need a redis-server can run. Each suite starts its own server.
import { spawnSync } from 'node:child_process';

export default function check() {
  const bins = [process.env.REDIS_SERVER_BIN, 'redis-server', 'valkey-server'];
  if (bins.some((bin) => bin && spawnSync(bin, ['--version']).status === 0)) return;
  const how = 'apt-get install redis-server, or set REDIS_SERVER_BIN to a redis-server, and run npm test again';
  if (process.env.REQUIRE_REDIS === '1') throw new Error(`REQUIRE_REDIS=1, but redis-server is not installed: ${how}`);
  console.warn(`\nSkipped test/redis: redis-server is not installed. To run these suites: ${how}`);
}
