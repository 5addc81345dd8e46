/**
 * Addresses that a token may be sent to: encrypted ones, and otherwise only what does not leave the cluster, or the
 * machine. Of a Service the whole name, so that no search domain of somebody else's completes it.
 */
export const TOKEN_ADDRESS =
  '^(https://|http://(localhost|127\\.0\\.0\\.1|\\[::1\\]|([a-z0-9-]+\\.)+svc(\\.cluster\\.local)?)(:[0-9]+)?/)';
