import multipart, { type Multipart, type MultipartFile } from '@fastify/multipart';
import { TRPCError } from '@trpc/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Upload } from '../api/upload.ts';
import { badRequest, DomainError, unavailable } from '../kernel/errors.ts';
import { createSemaphore } from '../kernel/semaphore.ts';
import type { CreateContext } from './context.ts';
import { refuseIfMatch } from './etag.ts';
import { refuseIdempotencyKey } from './idempotency.ts';
import { checkJson } from './json.ts';
import { requireMethod } from './methods.ts';
import type { Endpoint } from './procedures.ts';
import { sendError, sendJson } from './wire.ts';

const MAX_FILE = 5 * 1024 * 1024;
/** With room for the fields and the parts' headers. */
const MAX_BODY = MAX_FILE + 32 * 1024;
const LIMITS = {
  fileSize: MAX_FILE,
  files: 1,
  fields: 4,
  parts: 5,
  fieldNameSize: 64,
  fieldSize: 1000,
  headerPairs: 16,
};
/** In milliseconds, for the whole form; the sender is told so before the service gives up on itself. */
const MAX_TIME = 20_000;
/** Files in memory at once, while they come in. */
const MAX_AT_ONCE = 32;

const TOO_MANY = new Set(['FST_PARTS_LIMIT', 'FST_FILES_LIMIT', 'FST_FIELDS_LIMIT']);

const tooSlow = () => badRequest('input', 'too_slow', `The form takes at most ${MAX_TIME / 1000} seconds.`);
const tooLarge = () => new TRPCError({ code: 'PAYLOAD_TOO_LARGE', message: 'The file has at most 5 MB.' });

/** What went wrong in reading a form: all of it is the sender's, or the connection's. */
function refusal(error: unknown): Error {
  if (error instanceof DomainError || error instanceof TRPCError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge();
  return TOO_MANY.has(code)
    ? badRequest('input', 'too_many_parts', 'The form has one file and few fields.')
    : badRequest('input', 'malformed_form', 'The form is malformed, or broken off.');
}

type Form = Record<string, unknown>;

/** The parts of one request's form, in their order. */
function formReader(request: FastifyRequest, oneOfFew: ReturnType<typeof createSemaphore>) {
  const form: Form = Object.create(null);
  let parts: AsyncIterator<Multipart> | undefined;

  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), MAX_TIME);
  });
  tooLate.catch(() => {}); // nobody may be reading just then
  const inTime = <T>(reading: Promise<T>): Promise<T> =>
    Promise.race([reading, tooLate]).catch((error: unknown) => Promise.reject(refusal(error)));

  async function nextPart(): Promise<Multipart | undefined> {
    parts ??= request.parts({ limits: LIMITS });
    const { value, done } = await parts.next();
    return done === true ? undefined : value;
  }

  function add(name: string, value: unknown): void {
    if (name in form) throw badRequest(name, 'given_twice', 'This was given twice.');
    form[name] = value;
  }

  /** Reads on to the next file, or to the end. */
  async function readFields(): Promise<MultipartFile | undefined> {
    for (let part = await nextPart(); part !== undefined; part = await nextPart()) {
      if (part.type === 'file') return part;
      if (part.valueTruncated || part.fieldnameTruncated) {
        throw badRequest(part.fieldname, 'too_long', `A field has at most ${LIMITS.fieldSize} bytes.`);
      }
      checkJson(part.value);
      add(part.fieldname, part.value);
    }
    return undefined;
  }

  const readFile = (part: MultipartFile): Promise<Uint8Array> => oneOfFew(() => inTime(bytesOf(part)));

  async function bytesOf(part: MultipartFile): Promise<Uint8Array> {
    const bytes = await part.toBuffer();
    await readFields(); // a second file is an error of its own, by LIMITS
    return bytes;
  }

  /**
   * The fields, and `file`. One that comes after the organization's id waits: whoever has no business there is refused
   * before it is read.
   */
  async function read(): Promise<Form> {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) throw tooLarge();
    const part = await readFields();
    if (part === undefined) return form;
    if (part.fieldname !== 'file') {
      throw badRequest(part.fieldname, 'unknown_file', 'The file belongs in the part named file.');
    }
    if ('organizationId' in form) {
      add('file', new Upload(() => readFile(part)));
    } else {
      const bytes = await readFile(part);
      add('file', new Upload(async () => bytes));
    }
    return { ...form };
  }

  let reading: Promise<Form> | undefined;
  return {
    /** Every input schema of a procedure asks for the input; it is read once. */
    read() {
      reading ??= inTime(read());
      return reading;
    },
    /** Lets go of what was not read, so that the connection can be used again. */
    release() {
      clearTimeout(timer);
      request.raw.unpipe();
      request.raw.resume();
    },
  };
}

/** Plain HTTP for procedures that take a file: `POST /api/<mutation>` with a form. Other procedures take no forms. */
export function uploadRoutes(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  createContext: CreateContext,
): void {
  const oneOfFew = createSemaphore({
    permits: MAX_AT_ONCE,
    maxQueue: MAX_AT_ONCE,
    maxWaitMs: 5_000,
    refuse: () => unavailable('too_many_uploads', 'Too many uploads at once. Try again.'),
  });

  async function answer(request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint): Promise<unknown> {
    const form = formReader(request, oneOfFew);
    try {
      return await endpoint.call({
        ctx: {
          ...(await createContext(request, reply, endpoint.prospectOf({}))),
          isForm: request.isMultipart(),
        },
        path: endpoint.name,
        type: endpoint.type,
        getRawInput: form.read,
        signal: undefined,
        batchIndex: 0,
      });
    } finally {
      form.release();
    }
  }

  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _body, done) => done(null)); // refused by the procedure, unread
    await scope.register(multipart, { limits: LIMITS });
    for (const endpoint of endpoints.values()) {
      if (endpoint.meta.upload !== true) continue;
      const errorHandler = (error: unknown, _request: FastifyRequest, reply: FastifyReply) =>
        sendError(reply, error, endpoint.name);
      scope.all(`/api/${endpoint.name}`, { errorHandler }, async (request, reply) => {
        requireMethod(request, reply, endpoint.method);
        refuseIdempotencyKey(request, 'Uploads, which repeated leave the same picture,');
        refuseIfMatch(request);
        return sendJson(reply, await answer(request, reply, endpoint));
      });
    }
  });
}
