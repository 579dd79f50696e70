import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createPostgresBackend } from 'bullmq';
import { heardAllItsLife } from '../../../src/platform/postgres-listen-client';

/** A message of PostgreSQL's protocol: a letter, its length, what it says. */
function message(letter: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length + 4);
  return Buffer.concat([Buffer.from(letter), length, content]);
}

const AUTHENTICATION_OK = message('R', Buffer.alloc(4));
const READY_FOR_QUERY = message('Z', Buffer.from('I'));
const SHUTTING_DOWN = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0'));
const TERMINATE = 'X'.charCodeAt(0);

let server: Server;
let answer: (socket: Socket) => void;
let onTerminate: (socket: Socket) => void;

beforeEach(async () => {
  onTerminate = (socket) => socket.end();
  server = createServer((socket) => {
    socket.once('data', () => {
      answer(socket);
      socket.on('data', (said) => {
        if (said[0] === TERMINATE) onTerminate(socket);
      });
    });
    socket.on('error', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => void server.close());

function open() {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  const connectionString = `postgres://dealbell@127.0.0.1:${address.port}/dealbell`;
  const troubles: Error[] = [];
  const losses: Error[] = [];
  const backend = heardAllItsLife(
    createPostgresBackend('bell', { connection: { connectionString, migrate: false, skipVersionCheck: true } }),
    (error) => troubles.push(error),
  );
  backend.on('error', (error) => losses.push(error));
  return { connection: backend.connection, troubles, losses };
}

it('is not taken for connected when the server ends it as soon as it is ready, and the next look connects anew', async () => {
  answer = (socket) => socket.end(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY, SHUTTING_DOWN]));
  const { connection } = open();
  await expect(connection.getListenClient()).rejects.toThrow('terminating connection');
  answer = (socket) => socket.write(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY]));
  const client = await connection.getListenClient();
  await expect(connection.getListenClient()).resolves.toBe(client);
  await connection.close();
});

it('tells of its loss when it was connected, and is opened anew', async () => {
  const sockets: Socket[] = [];
  answer = (socket) => {
    sockets.push(socket);
    socket.write(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY]));
  };
  const { connection, losses } = open();
  const client = await connection.getListenClient();
  const ended = new Promise<void>((resolve) => client.on('end', resolve));
  sockets[0]?.end(SHUTTING_DOWN);
  await ended;
  expect(losses.map((error) => error.message)).toContain('terminating connection');
  await expect(connection.getListenClient()).resolves.not.toBe(client);
  await connection.close();
});

it('does not end the process when the server fails while it is being closed', async () => {
  answer = (socket) => socket.write(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY]));
  onTerminate = (socket) => socket.end(SHUTTING_DOWN);
  const { connection, troubles } = open();
  await connection.getListenClient();
  await connection.close();
  expect(troubles.map((error) => error.message)).toEqual(['terminating connection']);
});

it('says so when BullMQ keeps its driver somewhere else', () => {
  expect(() => heardAllItsLife({ connection: {} }, () => undefined)).toThrow(TypeError);
});
