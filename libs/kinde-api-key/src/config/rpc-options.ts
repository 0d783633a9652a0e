import { option } from './option-kinds.js';

/**
 * Finds the credential of a microservice's message.
 *
 * @param data the payload of the message
 * @param context of the transport, e.g. `NatsContext`, or the metadata of a gRPC call
 * @returns the API key, with or without its scheme; `undefined` for a message without one
 */
// oxlint-disable-next-line typescript/no-explicit-any -- each transport has its own types
export type RpcCredential = (data: any, context: any) => string | undefined;

/** The kind of the option `rpcCredential`. */
export const rpcCredentialOption = option<RpcCredential, null>({
  takes: 'a function of the payload and the context, e.g. (data) => data?.apiKey',
  accepts: (given) => typeof given === 'function',
  absent: null,
});
