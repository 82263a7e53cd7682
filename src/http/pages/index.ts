import type { FastifyInstance } from 'fastify';
import { devicePage } from './device.ts';
import { invitationPage } from './invitation.ts';
import { servePages } from './page.ts';
import { resetPasswordPage } from './reset-password.ts';
import { verifyEmailPage } from './verify-email.ts';

/** The pages where the links of our mails lead, and devices send people. */
export function pageRoutes(app: FastifyInstance): void {
  servePages(app, [devicePage, invitationPage, verifyEmailPage, resetPasswordPage]);
}
