/** Express 4 under a name of its own, beside the version that Nest brings. */
declare module 'express4' {
  export default function express4(): unknown;
}
