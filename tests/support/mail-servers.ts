import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { onTestFinished } from 'vitest';
import type { Mail } from '../../src/domain/mail.ts';

export const FROM = 'Tenantry <no-reply@example.org>';
export const TOKEN = 'Zk3-secret_of-the-mail';
export const mail: Mail = {
  id: '019a9c1e-5b7a-7cc3-9d2e-0f4a8b6c1d20',
  to: 'ada@example.org',
  subject: 'Invitation to Ärzte & Söhne',
  text: `Come in.\n\nhttps://panel.example.org/invitation?token=${TOKEN}\n`,
  html: '<p>Come in.</p>',
};

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** What an SMTP server answers with, such as 451 greylisted. */
export const refusal = (responseCode: number, message: string): Error =>
  Object.assign(new Error(message), { responseCode });

export type Received = { mail: ParsedMail; recipients: string[] };

/** What becomes of a message that has come in whole: a refusal, no answer, an end of the connection. */
export type Outcome = 'take' | 'stall' | 'hang up' | Error;

/** An SMTP server for the length of a test. It keeps what it takes; `outcomeOf` says what it takes. */
export async function smtpServer(
  options: ConstructorParameters<typeof SMTPServer>[0] = {},
  outcomeOf: (mail: ParsedMail) => Outcome = () => 'take',
) {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 1,
    onData: (stream, session, done) => {
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      simpleParser(stream).then((mail) => {
        const outcome = outcomeOf(mail);
        if (outcome === 'hang up') hangUp();
        if (outcome instanceof Error) done(outcome);
        if (outcome !== 'take') return;
        received.push({ mail, recipients });
        done();
      }, done);
    },
    ...options,
  });
  server.on('error', () => {}); // a client that breaks off is what some tests are about
  server.server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    hangUp();
    await new Promise<void>((resolve) => server.close(resolve));
  });
  return { url: `smtp://127.0.0.1:${portOf(server.server)}`, received, hangUp };
}

/** A server of bare TCP for the length of a test. @returns its port. */
export async function tcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return portOf(server);
}

/** Stands for Resend's `POST /emails`, for the length of a test. */
export async function resendServer(answer: (response: ServerResponse) => void) {
  const requests: { headers: IncomingHttpHeaders; body: unknown }[] = [];
  const server = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { requests, baseUrl: `http://127.0.0.1:${portOf(server)}` };
}

/** The error of a promise that must fail. */
export const failureOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('It did not fail.');
    },
    (error: Error) => error,
  );
