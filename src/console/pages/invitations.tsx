import { useState } from 'react';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge, When } from '../ui/bits.tsx';
import { Confirm, Dialog } from '../ui/dialog.tsx';
import { InviteButton } from '../ui/invite.tsx';
import { List } from '../ui/list.tsx';
import { RowMenu } from '../ui/menu.tsx';
import { Problem } from '../ui/notice.tsx';
import { Copyable, Page } from '../ui/page.tsx';

const t = texts.invitations;
type Invitation = OutputOf<'organization.allInvitations'>[number];
const TONES = {
  pending: 'warn',
  accepted: 'good',
  rejected: 'bad',
  canceled: 'plain',
  expired: 'plain',
} as const;

export function Invitations() {
  const { id: organizationId } = useOrganization();
  const can = useCan();
  const reading = useList('organization.allInvitations', { organizationId });
  const [ending, setEnding] = useState<Invitation>();
  const resend = useAct('organization.resendInvitation', {
    done: ({ email }) => t.resent(email),
    sample: { invitationId: '…' },
  });
  const link = useAct('organization.invitationLink', { sample: { invitationId: '…' } });
  const remove = useAct('organization.removeInvitation', { done: t.removed, sample: { invitationId: '…' } });
  const problem = resend.error ?? link.error;
  /** What was refused before is of another time. */
  const doOnly = (act: typeof resend | typeof link, invitationId: string) => {
    for (const one of [resend, link]) one.reset();
    act.mutate({ invitationId });
  };
  return (
    <Page title={t.title} about={t.about} actions={can('invitation:create') && <InviteButton />}>
      {problem !== null && <Problem>{problem.message}</Problem>}
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          { label: texts.email, kind: 'main', cell: ({ email }) => email },
          { label: texts.members.role, cell: ({ role }) => <Badge>{role}</Badge> },
          { label: texts.state, cell: ({ status }) => <Badge tone={TONES[status]}>{status}</Badge> },
          { label: t.sentAt, cell: ({ createdAt }) => <When at={createdAt} /> },
          {
            label: texts.expires,
            cell: ({ status, expiresAt }) => <When at={status === 'pending' ? expiresAt : null} />,
          },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (invitation) => {
              const { id: invitationId, status, email } = invitation;
              const mayResend = can('invitation:create') && status === 'pending';
              return (
                <RowMenu
                  label={texts.actionsFor(email)}
                  items={[
                    mayResend && { label: t.resend, onSelect: () => doOnly(resend, invitationId) },
                    mayResend && { label: t.link, onSelect: () => doOnly(link, invitationId) },
                    can('invitation:delete') &&
                      status === 'pending' && {
                        label: t.remove,
                        isDanger: true,
                        onSelect: () => setEnding(invitation),
                      },
                  ]}
                />
              );
            },
          },
        ]}
      />
      {link.data !== undefined && (
        <Dialog title={t.link} onClose={link.reset}>
          <p>{t.linkAbout}</p>
          <Copyable text={link.data.url} label={texts.copy} />
        </Dialog>
      )}
      {ending !== undefined && (
        <Confirm
          title={t.removeTitle}
          name={ending.email}
          submit={t.remove}
          act={remove}
          input={{ invitationId: ending.id }}
          onClose={() => setEnding(undefined)}
        >
          <p>{t.removeAbout}</p>
        </Confirm>
      )}
    </Page>
  );
}
