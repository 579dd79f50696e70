/** The connection on which BullMQ hears PostgreSQL's NOTIFY, listened to for as long as it lives: losing it must never end the process. */

import { Client, type ClientConfig } from 'pg';

/**
 * Has a backend of BullMQ open its LISTEN client as one that is never without a listener: BullMQ 6.7 adds its own only when the client is
 * connected, and takes it away before it closes it. Throws a TypeError where BullMQ keeps its driver somewhere else.
 */
export function heardAllItsLife<B extends object>(backend: B, tellTrouble: (error: Error) => void): B {
  const connection: unknown = Reflect.get(backend, 'connection');
  if (typeof connection !== 'object' || connection === null || typeof Reflect.get(connection, 'pgModule') !== 'object')
    throw new TypeError('BullMQ’s connection has no pgModule any more');
  class ListenClient extends Client {
    private lostWith: Error | null = null;

    constructor(config?: string | ClientConfig) {
      super(config);
      this.on('error', (error) => (this.lostWith ??= error));
    }

    /** Also rejects when it was lost again before anyone could use it: BullMQ would keep it, and hear nothing any more. */
    override async connect(): Promise<Client> {
      await super.connect();
      if (this.lostWith === null) return this;
      await this.end();
      throw this.lostWith;
    }

    override async end(): Promise<void> {
      this.on('error', tellTrouble);
      await super.end();
    }
  }
  Reflect.set(connection, 'pgModule', { Client: ListenClient });
  return backend;
}
