import { NONE } from '../slot-index.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { RememberedVerdict } from './remembered-verdict.js';

const API_KEY = { keyId: 'api_key_1' } as VerifiedApiKey;

describe('RememberedVerdict', () => {
  it('knows where its key is remembered, and shows nobody', () => {
    const verdict = new RememberedVerdict(API_KEY, 7);
    expect(RememberedVerdict.slotOf(verdict)).toBe(7);
    expect(Object.entries(verdict)).toEqual(Object.entries({ accepted: true, apiKey: API_KEY }));
  });

  it('is not taken for one that was copied or came from Kinde', () => {
    const verdict = new RememberedVerdict(API_KEY, 7);
    expect(RememberedVerdict.slotOf(structuredClone(verdict))).toBe(NONE);
    expect(RememberedVerdict.slotOf({ accepted: true, apiKey: API_KEY })).toBe(NONE);
  });
});
