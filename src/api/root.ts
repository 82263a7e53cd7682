import { apiKeyRouter } from './api-key.ts';
import { auditLogRouter } from './audit-log.ts';
import { customRoleRouter } from './custom-role.ts';
import { deploymentRouter } from './deployment.ts';
import { dnsRecordRouter } from './dns/record.ts';
import { dnsZoneRouter } from './dns/zone.ts';
import { invitationRouter } from './invitation.ts';
import { licenseRouter } from './license/index.ts';
import { nodeRouter } from './node.ts';
import { organizationRouter } from './organization/index.ts';
import { permissionRouter } from './permission.ts';
import { portalRouter } from './portal.ts';
import { serverRouter } from './server.ts';
import { sessionRouter } from './session.ts';
import { settingsRouter } from './settings.ts';
import { sshKeyRouter } from './ssh-key.ts';
import { router } from './trpc.ts';
import { tunnelAllocationRouter } from './tunnel/allocation.ts';
import { tunnelDeviceRouter } from './tunnel/device.ts';
import { userRouter } from './user/index.ts';
import { webhookRouter } from './webhook/index.ts';

export const appRouter = router({
  apiKey: apiKeyRouter,
  auditLog: auditLogRouter,
  customRole: customRoleRouter,
  deployment: deploymentRouter,
  dnsRecord: dnsRecordRouter,
  dnsZone: dnsZoneRouter,
  invitation: invitationRouter,
  license: licenseRouter,
  node: nodeRouter,
  organization: organizationRouter,
  permission: permissionRouter,
  portal: portalRouter,
  server: serverRouter,
  session: sessionRouter,
  settings: settingsRouter,
  sshKey: sshKeyRouter,
  tunnelAllocation: tunnelAllocationRouter,
  tunnelDevice: tunnelDeviceRouter,
  user: userRouter,
  webhook: webhookRouter,
});

export type AppRouter = typeof appRouter;
