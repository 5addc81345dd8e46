import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for a server, as Go's programs, kubectl among them, read it: HTTPS_PROXY or HTTP_PROXY
 * after the server's scheme, unless the server is this machine or NO_PROXY names it.
 * https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 */
export function proxyFor(server: URL, environment: Environment): string | undefined {
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = valueOf(environment, name);
  if (proxy === undefined || isThisMachine(hostOf(server))) return undefined;
  if (isExcepted(server, valueOf(environment, 'NO_PROXY') ?? '')) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** Whether it is an address of a kind of proxy that there is. */
export function isProxy(address: string): boolean {
  return URL.canParse(address) && /^(https?|socks(4a?|5h?)?):$/.test(new URL(address).protocol);
}

function valueOf(environment: Environment, name: string): string | undefined {
  return environment[name] || environment[name.toLowerCase()] || undefined;
}

const hostOf = ({ hostname }: URL): string => hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isExcepted(server: URL, exceptions: string): boolean {
  const host = hostOf(server);
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  return exceptions
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .some((one) => one === '*' || (one !== '' && matches(one, host, port)));
}

/** An address, a range of them in CIDR, or a domain with those below it; each but a range perhaps with a port. */
function matches(exception: string, host: string, port: string): boolean {
  const [address = '', bits] = exception.split('/');
  if (bits !== undefined) return isInRange(host, address, Number(bits));
  const { name, onPort } = /^\[?(?<name>.*?)\]?(:(?<onPort>\d+))?$/.exec(exception)?.groups ?? {};
  const whole = isIP(exception) === 6 ? exception : (name ?? '');
  if (isIP(exception) !== 6 && onPort !== undefined && onPort !== port) return false;
  if (isIP(whole) !== 0 || isIP(host) !== 0) return whole === host;
  const domain = whole.replace(/^\*/, '');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function isInRange(host: string, address: string, bits: number): boolean {
  const [family, ofHost] = [isIP(address), isIP(host)];
  if (family === 0 || ofHost !== family || !(bits >= 0 && bits <= (family === 4 ? 32 : 128))) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const range = new BlockList();
  range.addSubnet(address, bits, kind);
  return range.check(host, kind);
}
