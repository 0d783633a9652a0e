const UNTRUSTED =
  'the certificate is not trusted. If a proxy of your network inspects TLS, or a stand-in has a certificate of its own, give its CA to Node ' +
  'with NODE_EXTRA_CA_CERTS, or pass an agent that trusts it as kinde.http.httpsAgent';
const UNKNOWN_HOST = "the host is unknown here. Check 'domain', and the name server of this machine";
const CLOCK =
  'the certificate is not valid at the time of this machine. Check its clock, and what answers in place of Kinde';
const NO_TLS =
  'TLS failed. Something between this service and Kinde does not speak it: check the network, kinde.http.httpsAgent and kinde.http.proxy';

/** What to change, by system error code (Node's documentation, "X509 certificate error codes" and "Common system errors"). */
const CURES: ReadonlyMap<string, string> = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  ['CERT_UNTRUSTED', UNTRUSTED],
  ['CERT_HAS_EXPIRED', CLOCK],
  ['CERT_NOT_YET_VALID', CLOCK],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    "the certificate is for another host. Check 'domain', and what answers in place of Kinde",
  ],
  ['ENOTFOUND', UNKNOWN_HOST],
  ['EAI_AGAIN', UNKNOWN_HOST],
  ['EPROTO', NO_TLS],
]);

/** Returns what to change after a network failure, or `undefined` if the code alone does not tell. */
export function cureOf(code: string): string | undefined {
  return CURES.get(code) ?? (code.startsWith('ERR_SSL_') ? NO_TLS : undefined);
}
