import { expect, test } from '@jest/globals';
import { isProxy, proxyFor } from './proxy.ts';

const PROXY = 'http://proxy:3128';

test.each<[string, string, string | undefined, string | undefined]>([
  ['every server but this machine goes by the proxy', 'https://dev.example:6443', undefined, PROXY],
  ['this machine by its name', 'https://localhost:6443', undefined, undefined],
  ['this machine by an address', 'https://127.1.2.3:6443', undefined, undefined],
  ['this machine by its newer address', 'https://[::1]:6443', undefined, undefined],
  ['a domain excepts itself', 'https://dev.example', 'other,dev.example', undefined],
  ['a domain excepts what is below it', 'https://api.dev.example', ' DEV.example ', undefined],
  ['a domain excepts nothing that only ends alike', 'https://mydev.example', 'dev.example', PROXY],
  ['a dot excepts what is below', 'https://api.dev.example', '.dev.example', undefined],
  ['a dot does not except the domain itself', 'https://dev.example', '.dev.example', PROXY],
  ['a star as well', 'https://api.dev.example', '*.dev.example', undefined],
  ['a star alone excepts all', 'https://dev.example', '*', undefined],
  ['a port that is not this one', 'https://dev.example:6443', 'dev.example:443', PROXY],
  ['a port that is', 'https://dev.example', 'dev.example:443', undefined],
  ['an address', 'https://10.1.2.3', '10.1.2.3', undefined],
  ['an address with its port', 'https://10.1.2.3:6443', '10.1.2.3:6443', undefined],
  ['another address that ends alike', 'https://110.1.2.3', '10.1.2.3', PROXY],
  ['a range of addresses', 'https://10.1.2.3', '10.0.0.0/8', undefined],
  ['a range that it is not in', 'https://11.1.2.3', '10.0.0.0/8', PROXY],
  ['a range of newer addresses', 'https://[fd00::1]:6443', 'fd00::/8', undefined],
  ['a newer address', 'https://[fd00::1]:6443', 'fd00::1', undefined],
  ['what is no range', 'https://10.1.2.3', '10.0.0.0/x', PROXY],
])('%s', (_, server, NO_PROXY, expected) => {
  expect(proxyFor(new URL(server), { HTTPS_PROXY: PROXY, NO_PROXY })).toBe(expected);
});

test('the scheme of the server says which variable counts, in capitals first', () => {
  const environment = { http_proxy: 'plain:1', HTTPS_PROXY: 'https://tls:2', https_proxy: 'other:3' };
  expect(proxyFor(new URL('http://dev.example'), environment)).toBe('http://plain:1');
  expect(proxyFor(new URL('https://dev.example'), environment)).toBe('https://tls:2');
  expect(proxyFor(new URL('https://dev.example'), {})).toBeUndefined();
});

test.each([
  ['http://ann:secret@proxy:3128', true],
  ['socks5://proxy', true],
  ['ftp://proxy', false],
  ['http://', false],
])('%s is a proxy: %s', (address, expected) => expect(isProxy(address)).toBe(expected));
