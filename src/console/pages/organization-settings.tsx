import { useNavigate } from '@tanstack/react-router';
import { NAME_MAX_LENGTH, ORGANIZATION_DESCRIPTION_MAX_LENGTH } from '../../kernel/lengths.ts';
import { TIERS } from '../../kernel/tiers.ts';
import { useAct, useRead } from '../lib/calls.tsx';
import { type Organization, useCan, useOrganization, useOwnRoles } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Facts, When } from '../ui/bits.tsx';
import { ConfirmButton } from '../ui/dialog.tsx';
import { Check, changesOf, Field, Form, TextArea } from '../ui/form.tsx';
import { Problem } from '../ui/notice.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Picture } from '../ui/picture.tsx';
import { RoleSelect } from '../ui/role-select.tsx';

const t = texts.organizationSettings;

export function OrganizationSettings() {
  const organization = useOrganization();
  const { id: organizationId, name, avatarUrl, role } = organization;
  const can = useCan();
  const removePicture = useAct('organization.removeAvatar', { done: texts.picture.removed });
  return (
    <Page title={t.title} about={organization.handle}>
      {can('organization:update') && (
        <>
          <Section title={texts.picture.title}>
            <Picture
              name={name}
              url={avatarUrl}
              path="organization.uploadAvatar"
              fields={{ organizationId }}
              remove={removePicture}
              input={{ organizationId }}
            />
          </Section>
          <Section title={t.general}>
            <General key={JSON.stringify(shownOf(organization))} />
          </Section>
        </>
      )}
      <License />
      <Section title={texts.danger}>{role === 'owner' ? <Delete /> : <Leave />}</Section>
    </Page>
  );
}

const shownOf = ({ name, handle, description, defaultRole, active }: Organization) => ({
  name,
  handle,
  description,
  defaultRole,
  active,
});

function General() {
  const organization = useOrganization();
  const { id: organizationId, name, handle, description, defaultRole, active } = organization;
  const own = useOwnRoles();
  const update = useAct('organization.update', { done: t.saved, sample: { organizationId, name } });
  return (
    <Form
      act={update}
      input={(values) => ({
        organizationId,
        ...changesOf(
          {
            name: values.text('name'),
            handle: values.text('handle'),
            description: values.given('description') ?? null,
            defaultRole: values.given('defaultRole') ?? null,
            active: values.isOn('active'),
          },
          organization,
        ),
      })}
      submit={texts.save}
      canSubmit={own.areKnown}
    >
      <div className="columns">
        <Field name="name" label={texts.name} required maxLength={NAME_MAX_LENGTH} defaultValue={name} />
        <Field
          name="handle"
          label={texts.organizations.handle}
          required
          defaultValue={handle}
          hint={t.handleHint}
        />
      </div>
      <TextArea
        name="description"
        label={texts.description}
        maxLength={ORGANIZATION_DESCRIPTION_MAX_LENGTH}
        rows={2}
        defaultValue={description ?? ''}
      />
      <RoleSelect own={own} held={defaultRole ?? ''} name="defaultRole" label={t.defaultRole} isOptional />
      <Check name="active" label={t.active} hint={t.activeHint} defaultChecked={active} />
    </Form>
  );
}

function License() {
  const { id: organizationId, portalTier } = useOrganization();
  const { data: license, error } = useRead('organization.license', { organizationId });
  const allowance = TIERS[portalTier];
  return (
    <Section title={t.license} about={t.licenseAbout}>
      {error !== null && <Problem>{error.message}</Problem>}
      <Facts
        facts={[
          [texts.overview.tier, allowance.name],
          [texts.nav.servers, allowance.maxServers ?? texts.overview.anyNumber],
          ...(license == null
            ? []
            : ([
                [t.valid, license.valid ? texts.yes : texts.no],
                [
                  texts.expires,
                  license.expiresAt === null ? (
                    texts.apiKeys.never
                  ) : (
                    <When key="expires" at={license.expiresAt} />
                  ),
                ],
              ] as const)),
        ]}
      />
    </Section>
  );
}

/** Says first what goes with it, and what stands in the way. */
function Delete() {
  const { id: organizationId, name } = useOrganization();
  const navigate = useNavigate();
  const preview = useRead('organization.deletePreview', { organizationId });
  const remove = useAct('organization.delete', { done: t.deleted(name), sample: { organizationId } });
  const { deletes, obstacles = [] } = preview.data ?? {};
  const goes = (
    Object.entries(deletes ?? {}) as [keyof NonNullable<typeof deletes>, number | boolean][]
  ).filter(([, amount]) => Number(amount) > 0);
  return (
    <>
      {obstacles.map(({ reason, message }) => (
        <p key={reason} className="about">
          {message}
        </p>
      ))}
      <ConfirmButton
        label={t.delete}
        title={t.deleteTitle(name)}
        name={name}
        submit={t.delete}
        act={remove}
        input={{ organizationId }}
        after={() => navigate({ to: '/organizations' })}
      >
        <p>{t.goes}</p>
        <Facts facts={goes.map(([what, amount]) => [t.going[what], amount === true ? texts.yes : amount])} />
      </ConfirmButton>
    </>
  );
}

function Leave() {
  const { id: organizationId, name } = useOrganization();
  const navigate = useNavigate();
  const leave = useAct('organization.leave', { done: t.left(name), sample: { organizationId } });
  return (
    <ConfirmButton
      label={t.leave}
      title={t.leaveTitle(name)}
      name={name}
      submit={t.leave}
      act={leave}
      input={{ organizationId }}
      after={() => navigate({ to: '/organizations' })}
    >
      <p>{t.leaveAbout}</p>
    </ConfirmButton>
  );
}
