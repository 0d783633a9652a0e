import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as openapi from './index.js';

describe('nestjs-kinde-api-key/openapi', () => {
  it('exports documentApiKeys, and types', () => {
    expect(Object.keys(openapi)).toEqual(['documentApiKeys']);
  });

  it('imports nothing of @nestjs/swagger', () => {
    const sources = readdirSync(__dirname).filter((file) => !file.endsWith('.spec.ts'));
    expect(sources.length).toBeGreaterThan(10);
    for (const file of sources) expect(readFileSync(join(__dirname, file), 'utf8')).not.toContain("'@nestjs/swagger");
  });
});
