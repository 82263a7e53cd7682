import { Plus } from 'lucide-react';
import { useState } from 'react';
import { DESCRIPTION_MAX_LENGTH, NAME_MAX_LENGTH } from '../../kernel/lengths.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList, useOffer } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge, Titled, When } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, DialogButton } from '../ui/dialog.tsx';
import { Download } from '../ui/download.tsx';
import { Field, Form, TextArea } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { RowMenu } from '../ui/menu.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { Copyable, Page } from '../ui/page.tsx';

const t = texts.sshKeys;
type SshKey = OutputOf<'sshKey.all'>[number];
type Owner = { organizationId: string } | { scope: 'user' };
/** Who keeps a new key: the caller, where no organization is named. */
const keeper = (owner: Owner) => ('organizationId' in owner ? owner : {});

export function OrganizationSshKeys() {
  const { id: organizationId } = useOrganization();
  const can = useCan();
  return (
    <SshKeys
      about={t.organizationAbout}
      owner={{ organizationId }}
      mayCreate={can('sshKey:create')}
      mayRemove={can('sshKey:delete')}
    />
  );
}

export const OwnSshKeys = () => <SshKeys about={t.ownAbout} owner={{ scope: 'user' }} mayCreate mayRemove />;

type SshKeysProps = { about: string; owner: Owner; mayCreate: boolean; mayRemove: boolean };

function SshKeys({ about, owner, mayCreate, mayRemove }: SshKeysProps) {
  const reading = useList('sshKey.all', owner);
  const [ending, setEnding] = useState<SshKey>();
  useOffer('sshKey.generate', { type: 'ed25519' });
  useOffer('sshKey.create', { name: 'laptop', publicKey: 'ssh-ed25519 AAAA…', ...keeper(owner) });
  const remove = useAct('sshKey.remove', { done: ({ name }) => t.removed(name), sample: { sshKeyId: '…' } });
  return (
    <Page
      title={t.title}
      about={about}
      actions={
        mayCreate && (
          <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />} wide>
            {(close) => <CreateForm owner={owner} onDone={close} />}
          </DialogButton>
        )
      }
    >
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          {
            label: texts.name,
            kind: 'main',
            cell: ({ name, fingerprint }) => <Titled title={name} below={fingerprint} />,
          },
          { label: t.type, cell: ({ type, bits }) => <Badge>{t.kind(type, bits)}</Badge> },
          { label: t.used, cell: ({ lastUsedAt }) => <When at={lastUsedAt} /> },
          { label: texts.created, cell: ({ createdAt }) => <When at={createdAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (key) => (
              <RowMenu
                label={texts.actionsFor(key.name)}
                items={[mayRemove && { label: texts.remove, isDanger: true, onSelect: () => setEnding(key) }]}
              />
            ),
          },
        ]}
      />
      {ending !== undefined && (
        <Confirm
          title={t.removeTitle(ending.name)}
          name={ending.name}
          submit={texts.remove}
          act={remove}
          input={{ sshKeyId: ending.id }}
          onClose={() => setEnding(undefined)}
        >
          <p>{ending.fingerprint}</p>
        </Confirm>
      )}
    </Page>
  );
}

/** Takes a public key, or has a pair made whose private half is shown once. */
function CreateForm({ owner, onDone }: { owner: Owner; onDone: () => void }) {
  const [publicKey, setPublicKey] = useState('');
  const generate = useAct('sshKey.generate');
  const create = useAct('sshKey.create', {
    done: ({ name }) => t.created(name),
  });
  const pair = generate.data;
  return (
    <Form
      act={create}
      input={(values) => ({
        name: values.text('name'),
        description: values.given('description'),
        publicKey,
        ...keeper(owner),
      })}
      submit={t.create}
      after={onDone}
    >
      <Field name="name" label={texts.name} required maxLength={NAME_MAX_LENGTH} />
      <TextArea
        name="publicKey"
        label={t.publicKey}
        hint={t.publicKeyHint}
        value={publicKey}
        onChange={({ target }) => setPublicKey(target.value)}
        required
        spellCheck={false}
        className="code"
      />
      <Field name="description" label={texts.description} maxLength={DESCRIPTION_MAX_LENGTH} />
      {pair === undefined ? (
        <Button
          isBusy={generate.isPending}
          onClick={() =>
            generate.mutate(
              { type: 'ed25519' },
              { onSuccess: ({ publicKey }) => setPublicKey(publicKey.trim()) },
            )
          }
        >
          {t.generate}
        </Button>
      ) : (
        <>
          <Notice>{t.once}</Notice>
          <Copyable text={pair.privateKey} label={t.copyPrivate} />
          <Download name="id_ed25519" text={pair.privateKey} />
        </>
      )}
      {generate.error !== null && <Problem>{generate.error.message}</Problem>}
    </Form>
  );
}
