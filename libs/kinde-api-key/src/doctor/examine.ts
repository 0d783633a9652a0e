import { RawKey, LONGEST_KEY, SHORTEST_KEY } from '../api-key/raw-key.js';
import { checkApis } from './checks/apis.js';
import { checkCredentials } from './checks/credentials.js';
import { checkKey } from './checks/key.js';
import { checkReachability } from './checks/reachability.js';
import { checkVerifyCall } from './checks/verify-call.js';
import type { Check, Examination } from './examination.js';
import { ok, problem, type Finding } from './finding.js';

/** Every check, in order: each builds on those before it. */
const CHECKS: readonly Check[] = [checkReachability, checkCredentials, checkVerifyCall, checkApis, checkKey];

/** The checks that are made when an app starts: those of the configuration, and none that only describes Kinde. */
const BOOT_CHECKS: readonly Check[] = [checkCredentials, checkApis];

/** Makes every check, one after the other. Where Kinde cannot be reached, the others cannot be made. */
export async function examine(examination: Examination, given?: string): Promise<Finding[]> {
  const findings = given === undefined ? [] : [formOf(given)];
  for (const check of CHECKS) {
    findings.push(...(await check(examination)));
    if (check === checkReachability && findings.some(({ status }) => status === 'problem')) break;
  }
  return findings;
}

/** Makes the checks of an app's start. */
export async function examineAtBoot(examination: Examination): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of BOOT_CHECKS) findings.push(...(await check(examination)));
  return findings;
}

/** What is wrong with the text of a key. Nothing of it is repeated. */
function formOf(given: string): Finding {
  if (RawKey.parse(given) && !isJwt(given))
    return ok('KEY_FORM', `the key has ${given.length} characters, in the form of one`);
  const seen = isJwt(given) ? 'this is an access token (JWT)' : whatIsWrong(given);
  const means = 'It is not sent to Kinde. Requests with it get 400 or 401';
  return problem('KEY_FORM', seen, means, 'Send the API key itself, as "Authorization: Bearer <API key>"');
}

function isJwt(given: string): boolean {
  return given.startsWith('ey') && given.split('.').length >= 3;
}

function whatIsWrong(given: string): string {
  if (/^bearer /i.test(given)) return 'it begins with "Bearer ", which belongs into the header and not into the key';
  if (given.trim() !== given) return 'there are blanks or line ends around it';
  if (given.length < SHORTEST_KEY || given.length > LONGEST_KEY)
    return `it has ${given.length} characters; a key has ${SHORTEST_KEY} to ${LONGEST_KEY}`;
  return 'it has characters that a key cannot have';
}
