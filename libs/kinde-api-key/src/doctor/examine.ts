import { RawKey, LONGEST_KEY, SHORTEST_KEY } from '../api-key/raw-key.js';
import { checkApis } from './checks/apis.js';
import { checkCredentials } from './checks/credentials.js';
import { checkKey } from './checks/key.js';
import { checkReachability } from './checks/reachability.js';
import { checkVerifyCall } from './checks/verify-call.js';
import { Examination, type Check, type ExaminationSetup } from './examination.js';
import { ok, problem, type Finding } from './finding.js';
import { READ_APIS } from './registered-apis.js';

/** Every check, in order: each builds on those before it. */
const CHECKS: readonly Check[] = [checkReachability, checkCredentials, checkVerifyCall, checkApis, checkKey];

/**
 * Makes every check, one after the other. Where Kinde cannot be reached, the others cannot be made.
 *
 * @param given the key, if one is to be examined. It comes from outside and may be anything
 */
export async function examine(setup: ExaminationSetup, given?: unknown): Promise<Finding[]> {
  const fault = given === undefined ? undefined : faultOf(given);
  const rawKey = fault === undefined ? RawKey.parse(given) : undefined;
  const examination = new Examination({ ...setup, rawKey });
  const findings = given === undefined ? [] : [formFinding(given, fault)];
  for (const check of CHECKS) {
    const found = await check(examination);
    findings.push(...found);
    if (check === checkReachability && found.some(({ status }) => status === 'problem')) break;
  }
  return findings;
}

/** Makes the checks of an app's start. What the token may not read, or Kinde does not answer in time, is not worth a line in every log. */
export async function examineAtBoot(examination: Examination): Promise<Finding[]> {
  const findings = [...(await checkCredentials(examination))];
  if (examination.grantedScopes.includes(READ_APIS)) findings.push(...(await checkApis(examination)));
  return findings.filter(({ code }) => code !== 'API_ID' || examination.registered?.isComplete);
}

/** Repeats nothing of the key. */
function formFinding(given: unknown, fault: string | undefined): Finding {
  if (fault === undefined) return ok('KEY_FORM', `the key has ${String(given).length} characters, in the form of one`);
  const means = 'It is not sent to Kinde. Requests with it get 400 or 401';
  return problem('KEY_FORM', fault, means, 'Send the API key itself, as "Authorization: Bearer <API key>"');
}

/** Returns what is wrong with the form of a key, or `undefined`. */
function faultOf(given: unknown): string | undefined {
  if (typeof given !== 'string') return 'it is no text';
  if (given.startsWith('ey') && given.split('.').length >= 3) return 'this is an access token (JWT)';
  if (RawKey.parse(given)) return undefined;
  if (/^bearer /i.test(given)) return 'it begins with "Bearer ", which belongs into the header and not into the key';
  if (given.trim() !== given) return 'there are blanks or line ends around it';
  if (given.length < SHORTEST_KEY || given.length > LONGEST_KEY)
    return `it has ${given.length} characters; a key has ${SHORTEST_KEY} to ${LONGEST_KEY}`;
  return 'it has characters that a key cannot have';
}
