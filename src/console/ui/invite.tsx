import { Send } from 'lucide-react';
import { useState } from 'react';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useOffer } from '../lib/calls.tsx';
import { useOrganization, useOwnRoles } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge } from './bits.tsx';
import { Button } from './button.tsx';
import { DialogButton } from './dialog.tsx';
import { Form, TextArea } from './form.tsx';
import { RoleSelect } from './role-select.tsx';

const t = texts.invitations;

/** Any separator that people paste addresses with. */
const addressesOf = (text: string): string[] => text.split(/[\s,;]+/).filter((address) => address !== '');

/** Invites any number of people at once, up to a hundred, and says of each what became of it. */
export function InviteButton() {
  const { id: organizationId } = useOrganization();
  const invitations = [{ email: 'ada@example.org', role: 'member' }];
  useOffer('organization.inviteMembers', { organizationId, invitations });
  return (
    <DialogButton label={t.invite} kind="primary" icon={<Send aria-hidden />}>
      {(close) => <InviteForm onDone={close} />}
    </DialogButton>
  );
}

function InviteForm({ onDone }: { onDone: () => void }) {
  const { id: organizationId, defaultRole } = useOrganization();
  const own = useOwnRoles();
  const [refused, setRefused] = useState<OutputOf<'organization.inviteMembers'>>([]);
  const invite = useAct('organization.inviteMembers', {
    done: (answers) => t.sent(answers.filter(({ status }) => status === 'invited').length),
  });
  if (refused.length > 0) {
    return (
      <>
        <ul className="refused">
          {refused.map((answer) => (
            <li key={answer.email}>
              <Badge tone="bad">{answer.email}</Badge> {answer.status === 'refused' && answer.message}
            </li>
          ))}
        </ul>
        <Button onClick={onDone}>{texts.close}</Button>
      </>
    );
  }
  return (
    <Form
      act={invite}
      input={(values) => ({
        organizationId,
        invitations: addressesOf(values.text('invitations')).map((email) => ({
          email,
          role: values.text('role'),
        })),
      })}
      submit={t.invite}
      canSubmit={own.areKnown}
      after={(answers) => {
        const failed = answers.filter(({ status }) => status === 'refused');
        if (failed.length === 0) onDone();
        else setRefused(failed);
      }}
    >
      <TextArea name="invitations" label={t.addresses} hint={t.addressesHint} required />
      <RoleSelect own={own} held={defaultRole ?? 'member'} name="role" label={texts.members.role} />
    </Form>
  );
}
