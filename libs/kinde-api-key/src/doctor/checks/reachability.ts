import { KindeTransportError } from '../../kinde/http.js';
import { ownField, parseJsonAnswer } from '../../kinde/answers/wire.js';
import { DOMAIN_MENU } from '../../kinde/misconfigured.js';
import { answerOf, type Examination } from '../examination.js';
import { ok, problem, WAIT, warning, type Finding } from '../finding.js';

/** Tokens are used until shortly before they expire, so that a larger difference refuses good ones, in milliseconds. */
const MAX_CLOCK_DIFFERENCE_MS = 30_000;

const DNS_CODES = ['ENOTFOUND', 'EAI_AGAIN'];

const CHECK_DOMAIN = `Compare KINDE_DOMAIN with the domain in ${DOMAIN_MENU}`;

/** Whether Kinde can be reached: the host name, TLS, and an answer of Kinde and not of something between. Compares the clocks. */
export async function checkReachability(examination: Examination): Promise<readonly Finding[]> {
  const { origin, clock } = examination.connection;
  const { host, hostname, protocol } = new URL(origin);
  const url = `${origin}/.well-known/jwks`;
  const sentAtMs = clock.now();
  const answer = await answerOf(examination.send({ method: 'GET', url, headers: {} }));
  if (answer instanceof KindeTransportError) return [whyNotReached(answer, host)];
  const found = [ok('DNS', `${hostname} resolves`)];
  if (protocol === 'https:') found.push(ok('TLS', `${host} has a certificate that is trusted`));
  if (answer.status === 429 || answer.status >= 500) {
    const means =
      'Kinde, or something between, fails now or asks to slow down. Keys that are not cached get 503 meanwhile';
    return [...found, problem('REACHABILITY', `${host} answered with status ${answer.status}`, means, WAIT)];
  }
  const json = answer.status === 200 ? parseJsonAnswer(answer) : 'another status';
  if (typeof json === 'string' || !Array.isArray(ownField(json, 'keys'))) {
    const seen = `${host} answered with status ${answer.status}, and not as Kinde does`;
    const means =
      'Something else answers in place of Kinde: a proxy, a firewall, a login page, or the domain is not one of Kinde';
    return [
      ...found,
      problem('REACHABILITY', seen, means, `${CHECK_DOMAIN}, and let the calls of this machine through to Kinde`),
    ];
  }
  return [...found, ok('REACHABILITY', `${origin} answers`), ...clockFindings(answer.headers['date'], sentAtMs)];
}

function whyNotReached(error: KindeTransportError, host: string): Finding {
  const means = 'No key can be verified: known keys work until maxAcceptedAgeMs, all others get 503';
  const { systemCode: code = '', message, reason } = error;
  if (DNS_CODES.includes(code))
    return problem('DNS', `${host} cannot be resolved (${code})`, means, `${CHECK_DOMAIN}, and check DNS`);
  if (error.isTls) return problem('TLS', message, means, 'See the code: a CA, the clock, or an agent in kinde.http');
  const cure =
    'Allow this machine to reach the host on port 443. Behind a proxy, set kinde.http.proxy: the one of the environment is not used';
  const seen = reason === 'aborted' ? `${host} did not answer in time (kinde.timeoutMs)` : `${host}: ${message}`;
  return problem('REACHABILITY', seen, means, cure);
}

function clockFindings(date: string | undefined, sentAtMs: number): Finding[] {
  const kindeMs = Date.parse(date ?? '');
  if (Number.isNaN(kindeMs)) return [];
  const differenceMs = sentAtMs - kindeMs;
  const seconds = Math.round(Math.abs(differenceMs) / 1_000);
  if (Math.abs(differenceMs) <= MAX_CLOCK_DIFFERENCE_MS) return [ok('CLOCK', 'this clock and that of Kinde agree')];
  const seen = `this clock is ${seconds} s ${differenceMs > 0 ? 'ahead of' : 'behind'} that of Kinde`;
  const means = 'Access tokens may be refused as expired or not yet valid';
  return [warning('CLOCK', seen, means, 'Synchronize the clock of this machine (NTP)')];
}
