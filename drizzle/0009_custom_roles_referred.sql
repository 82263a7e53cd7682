-- Whoever has a custom role has one of his organization: members, open invitations and the default for invitations.
-- Checked at commit, so that a role and all that name it can be renamed in any order, and an organization be deleted.
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_custom_role_fk"
  FOREIGN KEY ("organization_id", "custom_role") REFERENCES "custom_roles" ("organization_id", "name")
  DEFERRABLE INITIALLY DEFERRED;
--> statement-breakpoint
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_custom_role_fk"
  FOREIGN KEY ("organization_id", "custom_role") REFERENCES "custom_roles" ("organization_id", "name")
  DEFERRABLE INITIALLY DEFERRED;
--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_custom_default_role_fk"
  FOREIGN KEY ("id", "custom_default_role") REFERENCES "custom_roles" ("organization_id", "name")
  DEFERRABLE INITIALLY DEFERRED;
