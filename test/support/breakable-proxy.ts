/** A TCP proxy in front of a server, so that a test can take the server away, let it hang, and give it back. */

import { connect, createServer, type Socket } from 'node:net';

type ProxyMode = 'through' | 'refuse' | 'hang';

export interface BreakableProxy {
  readonly port: number;
  /** `refuse` cuts what is open and every new connection; `hang` takes everything and answers nothing. */
  set(mode: ProxyMode): void;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and passes everything to `target`. */
export async function startBreakableProxy(target: { readonly host: string; readonly port: number }): Promise<BreakableProxy> {
  const open = new Set<Socket>();
  let mode: ProxyMode = 'through';

  const server = createServer((inner) => {
    open.add(inner);
    inner.on('close', () => open.delete(inner));
    inner.on('error', () => inner.destroy());
    if (mode === 'refuse') inner.destroy();
    if (mode !== 'through') return;
    const outer = connect(target);
    open.add(outer);
    outer.on('close', () => {
      open.delete(outer);
      inner.destroy();
    });
    outer.on('error', () => inner.destroy());
    inner.on('close', () => outer.destroy());
    const pass = (to: Socket) => (chunk: Buffer) => {
      if (mode === 'through') to.write(chunk);
    };
    inner.on('data', pass(outer));
    outer.on('data', pass(inner));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');

  const cut = (): void => open.forEach((socket) => socket.destroy());
  return {
    port: address.port,
    set(next) {
      // A connection that hung has lost what was sent meanwhile: it cannot go on.
      if (next !== 'hang') cut();
      mode = next;
    },
    close() {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
