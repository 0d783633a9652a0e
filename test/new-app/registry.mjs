import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/**
 * Serves a packed package as if it was published, and sends npm to the real registry for all others.
 *
 * @param {string} tarball path of the packed package
 * @param {string} upstream address of the real registry, with a slash at its end
 * @returns {Promise<import('node:http').Server>} on a free port of 127.0.0.1
 */
export async function serveAsPublished(tarball, upstream) {
  const packed = readFileSync(tarball);
  const manifest = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }));
  const { name, version } = manifest;
  const integrity = `sha512-${createHash('sha512').update(packed).digest('base64')}`;
  const server = createServer(({ url, headers }, response) => {
    if (url === '/library.tgz') return response.end(packed);
    if (url !== `/${name}`) return response.writeHead(307, { location: new URL(url.slice(1), upstream).href }).end();
    const published = { ...manifest, dist: { tarball: `http://${headers.host}/library.tgz`, integrity } };
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: published } }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
