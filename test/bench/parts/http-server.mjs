// The server of the part "http": a process of its own, which says how much CPU time it took.
import { createBenchApp } from '../bench-app.mjs';
import { CONTROL } from '../rounds.mjs';
import { ORG_CODE, startUpstream } from '../upstream.mjs';
import { floorGuard, knownKeys } from '../variants/floor.mjs';
import { ourModule, ourVariants } from '../variants/ours.mjs';
import { quickStartVariant } from '../variants/peers.mjs';
import { FLOOR } from './hot-path.mjs';

const upstream = await startUpstream(1);
const known = knownKeys(upstream);
const [{ key }] = upstream.keys;
const keyOf = () => key;
const rows = [
  ...CONTROL.map((name) => ({ name, keyOf })),
  { name: FLOOR, guards: [floorGuard(known)], keyOf },
  ourVariants(keyOf)[0],
  await quickStartVariant(upstream, keyOf),
];
const { app, variants } = await createBenchApp('fastify', rows, [ourModule(upstream)], ORG_CODE);
await app.listen(0, '127.0.0.1');
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send(user + system);
});
process.on('disconnect', () => {
  upstream.stop();
  process.exit();
});
const routes = variants.map(({ name, url }) => ({ name, path: url }));
process.send({ url: await app.getUrl(), routes, key });
