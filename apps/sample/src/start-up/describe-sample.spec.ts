import { curlOf, DEMO_CALLS } from '../demo/demo-calls.js';
import { DEMO_KEYS } from '../demo/demo-keys.js';
import { describeSample } from './describe-sample.js';
import { realKinde } from './kinde.js';

const URL = 'http://127.0.0.1:3000';

describe('describeSample', () => {
  it('prints every demo key and every demo call, with its answer on the line above', () => {
    const text = describeSample({ url: URL, kinde: { ...realKinde('http://127.0.0.1:4000'), isEmulated: true } });
    for (const { key, name } of Object.values(DEMO_KEYS)) expect(text).toMatch(new RegExp(`${key} +${name}\n`));
    for (const call of DEMO_CALLS) {
      expect(text).toContain(`${call.answer.status} … ${call.answer.contains}\n  ${curlOf(call, URL)}\n`);
    }
  });

  it('prints no demo key with a real Kinde', () => {
    const text = describeSample({ url: URL, kinde: realKinde('acme') });
    expect(text).toContain('acme');
    expect(text).not.toContain('k_demo_');
  });
});
