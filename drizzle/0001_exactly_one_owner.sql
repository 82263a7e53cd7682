-- An organization's owner is the member whose role is 'owner'. Checked at commit, so that the two rows may be written
-- in either order; memberships_one_owner allows no second one.
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_owner_membership_fk"
  FOREIGN KEY ("id", "owner_id", "owner_role")
  REFERENCES "memberships" ("organization_id", "user_id", "role")
  DEFERRABLE INITIALLY DEFERRED;
