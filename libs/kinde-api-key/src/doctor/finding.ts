/** What the checks are about. */
export const FINDING_CODES = [
  'CONFIGURATION',
  'DNS',
  'TLS',
  'REACHABILITY',
  'CLOCK',
  'CREDENTIALS',
  'TOKEN_AUDIENCE',
  'TOKEN_SCOPES',
  'TOKEN_LIFETIME',
  'VERIFY_CALL',
  'CALL_LIMIT',
  'API_ID',
  'ROUTE_SCOPES',
  'UNUSED_SCOPES',
  'KEY_FORM',
  'KEY_STATE',
  'KEY_API',
  'KEY_ROUTES',
] as const;

/** What a check of the doctor is about. Stable, for programs. */
export type FindingCode = (typeof FINDING_CODES)[number];

/** What a check found. It contains no secret: neither a key, a token, the client secret nor text of Kinde's answers. */
export interface Finding {
  readonly code: FindingCode;
  /** `problem`: requests are refused, or will be. `warning`: it works, and something is likely not meant so. */
  readonly status: 'ok' | 'warning' | 'problem';
  /** What was seen. */
  readonly seen: string;
  /** What it means for requests; empty if there is nothing to say. */
  readonly means: string;
  /** What to do, with the menu path in Kinde; empty if there is nothing to do. */
  readonly cure: string;
}

/** Returns a finding that needs no action. */
export function ok(code: FindingCode, seen: string, means = ''): Finding {
  return finding({ code, status: 'ok', seen, means, cure: '' });
}

/** Returns a finding about something that works, and is likely not meant so. */
export function warning(code: FindingCode, seen: string, means: string, cure: string): Finding {
  return finding({ code, status: 'warning', seen, means, cure });
}

/** Returns a finding about requests that are refused, or will be. */
export function problem(code: FindingCode, seen: string, means: string, cure: string): Finding {
  return finding({ code, status: 'problem', seen, means, cure });
}

/** What to do about a Kinde that fails. */
export const WAIT = 'Wait, and run the doctor again. If this lasts, check the status of Kinde';

/** Maximum number of names in a finding. */
const MAX_NAMES = 20;
const MAX_NAME_LENGTH = 100;

/** Returns names as a text. They may be the words of another: of an administrator of Kinde, or of a customer. */
export function listNames(names: readonly string[], ifEmpty = 'none'): string {
  const shown = names.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME_LENGTH));
  const more = names.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '') || ifEmpty;
}

/** Findings are printed on terminals and in logs, where control characters and line ends are orders. */
function finding({ code, status, seen, means, cure }: Finding): Finding {
  const [plainSeen = '', plainMeans = '', plainCure = ''] = [seen, means, cure].map((text) =>
    text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?'),
  );
  return { code, status, seen: plainSeen, means: plainMeans, cure: plainCure };
}
