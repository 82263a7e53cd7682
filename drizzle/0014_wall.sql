ALTER TABLE "api_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "audit_chains" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "audit_log" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "dns_provider_zones" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "dns_records" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "dns_zones" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "deployments" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "licenses" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "nodes" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "servers" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "custom_roles" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "invitations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "memberships" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "organizations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "ssh_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "tunnel_allocations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "tunnel_devices" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "tunnel_enrolments" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "webhooks" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY "of_owner" ON "api_keys" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (coalesce("api_keys"."organization_id", "api_keys"."user_id") = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "audit_chains" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("audit_chains"."id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "audit_log" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (coalesce("audit_log"."organization_id", "audit_log"."user_id") = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "dns_provider_zones" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (("dns_provider_zones"."provider", "dns_provider_zones"."name") in (select z.provider, z.name from dns_zones z));--> statement-breakpoint
CREATE POLICY "of_owner" ON "dns_records" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (("dns_records"."zone_id") in (select z.id from dns_zones z));--> statement-breakpoint
CREATE POLICY "of_owner" ON "dns_zones" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("dns_zones"."organization_id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "deployments" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("deployments"."organization_id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "licenses" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("licenses"."organization_id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "nodes" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (coalesce("nodes"."organization_id", (select current_setting('tenantry.owner')::uuid)) = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "servers" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("servers"."organization_id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "custom_roles" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("custom_roles"."organization_id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "invitations" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("invitations"."organization_id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "memberships" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("memberships"."organization_id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "organizations" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("organizations"."id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "ssh_keys" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (coalesce("ssh_keys"."organization_id", "ssh_keys"."user_id") = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "tunnel_allocations" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (coalesce("tunnel_allocations"."organization_id", "tunnel_allocations"."user_id") = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "tunnel_devices" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (coalesce("tunnel_devices"."organization_id", "tunnel_devices"."user_id") = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "tunnel_enrolments" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING (coalesce("tunnel_enrolments"."organization_id", "tunnel_enrolments"."approved_by", (select current_setting('tenantry.owner')::uuid)) = (select current_setting('tenantry.owner')::uuid)) WITH CHECK (coalesce("tunnel_enrolments"."organization_id", "tunnel_enrolments"."approved_by") = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "webhook_deliveries" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("webhook_deliveries"."organization_id" = (select current_setting('tenantry.owner')::uuid));--> statement-breakpoint
CREATE POLICY "of_owner" ON "webhooks" AS PERMISSIVE FOR ALL TO "pg_database_owner" USING ("webhooks"."organization_id" = (select current_setting('tenantry.owner')::uuid));