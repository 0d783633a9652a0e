import { KindeTransportError, type KindeResponse } from '../../kinde/http.js';
import { parseRetryAfterSeconds } from '../../kinde/answers/retry-after.js';
import { parseTokenCheck } from '../../kinde/answers/token-check.js';
import { parseVerifyAnswer } from '../../kinde/answers/verify-answer.js';
import { ADVICE } from '../../kinde/misconfigured.js';
import { answerOf, type Examination } from '../examination.js';
import { ok, problem, warning, type Finding } from '../finding.js';

/** A key that no Kinde has issued, in the form of one. */
const MADE_UP_KEY = `k_live_doctor${'0'.repeat(35)}`;
/** Below this share of its limit, Kinde is about to answer 429. */
const NEAR_THE_LIMIT = 0.1;

/** Whether Kinde answers the verify call, asked about a key that does not exist, and how near its limit of calls it is. */
export async function checkVerifyCall(examination: Examination): Promise<readonly Finding[]> {
  if (!examination.token) return [];
  const answer = await answerOf(examination.ask('POST', '/api/v1/api_keys/verify', { body: { api_key: MADE_UP_KEY } }));
  if (answer instanceof KindeTransportError) return [notUsable(answer.message)];
  const parsed = parseVerifyAnswer(answer);
  if (parsed.kind === 'throttled') return [throttled(answer, examination.connection.clock.now())];
  if (parsed.kind === 'outage') return [notUsable(parsed.problem)];
  if (parsed.kind === 'token_rejected') {
    const fault = await faultOfToken(examination, answer.status);
    if (fault) return [fault];
  }
  const how = parsed.kind === 'token_rejected' ? `status ${answer.status}` : 'is_valid: false';
  const seen = `Kinde refuses a key that does not exist (${how})`;
  if (parsed.kind === 'verdict' && parsed.verdict.accepted) {
    const means = 'Whatever answers there accepts every key: it is not Kinde';
    return [problem('VERIFY_CALL', 'a key that does not exist was accepted', means, "Check 'domain'")];
  }
  return [ok('VERIFY_CALL', seen), ...limitFindings(answer)];
}

/** A 401 or 403 may concern the key or the token. @returns what is wrong with the token, or with Kinde; `undefined` if it is the key */
async function faultOfToken(examination: Examination, status: number): Promise<Finding | undefined> {
  const answer = await answerOf(examination.ask('GET', '/api/v1/api_keys?page_size=1'));
  if (answer instanceof KindeTransportError) return notUsable(answer.message);
  const parsed = parseTokenCheck(answer);
  if (parsed.kind === 'throttled') return throttled(answer, examination.connection.clock.now());
  if (parsed.kind === 'outage') return notUsable(parsed.problem);
  if (parsed.isAccepted) return undefined;
  const { means, cure } = ADVICE.scope;
  return problem('VERIFY_CALL', `Kinde answered ${status} to verify, and rejects the M2M token`, means, cure);
}

function notUsable(what: string): Finding {
  const means = 'No key can be verified: known keys work until maxAcceptedAgeMs, all others get 503';
  return problem(
    'VERIFY_CALL',
    what,
    means,
    "Check 'domain', what is between this machine and Kinde, and Kinde's status",
  );
}

function throttled(answer: KindeResponse, nowMs: number): Finding {
  const seconds = parseRetryAfterSeconds(answer.headers, nowMs);
  const seen = `Kinde answers 429${seconds === undefined ? '' : `, and asks to wait ${seconds} s`}`;
  const means = 'Kinde limits the calls of this environment. Known keys are asked about first, new ones may get 503';
  return problem('CALL_LIMIT', seen, means, 'Look for a flood of unknown keys, and lower kinde.maxPerSecond');
}

function limitFindings({ headers }: KindeResponse): Finding[] {
  const [limit, remaining] = [headers['ratelimit-limit'], headers['ratelimit-remaining']].map(Number);
  if (!Number.isFinite(remaining)) return [];
  const seen = `${remaining} calls are left${Number.isFinite(limit) ? ` of ${limit}` : ''} in Kinde's window`;
  if (!Number.isFinite(limit) || (remaining ?? 0) > (limit ?? 0) * NEAR_THE_LIMIT) return [ok('CALL_LIMIT', seen)];
  const means = 'Kinde is about to answer 429';
  return [warning('CALL_LIMIT', seen, means, 'Look for a flood of unknown keys, and lower kinde.maxPerSecond')];
}
