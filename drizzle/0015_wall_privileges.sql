-- What changes of tenants may do at all, in the rows that the policies leave them: see src/db/wall.ts. Accounts,
-- sessions, keys, mailed links and kept answers they neither see nor touch, and of the trail they see nothing.
GRANT SELECT, UPDATE, DELETE ON "organizations" TO pg_database_owner;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "memberships", "custom_roles", "invitations", "webhooks", "dns_zones",
  "dns_records", "dns_provider_zones", "servers", "ssh_keys" TO pg_database_owner;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON "webhook_deliveries", "deployments", "audit_chains" TO pg_database_owner;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON "tunnel_allocations" TO pg_database_owner;
--> statement-breakpoint
GRANT SELECT, DELETE ON "tunnel_devices" TO pg_database_owner;
--> statement-breakpoint
GRANT SELECT, UPDATE ("status", "approved_by", "organization_id") ON "tunnel_enrolments" TO pg_database_owner;
--> statement-breakpoint
GRANT SELECT ON "licenses" TO pg_database_owner;
--> statement-breakpoint
GRANT SELECT, UPDATE ("used_memory_mb", "used_disk_mb", "used_cpu_percent") ON "nodes" TO pg_database_owner;
--> statement-breakpoint
GRANT SELECT ("id", "email", "email_verified", "role", "suspended_at") ON "users" TO pg_database_owner;
--> statement-breakpoint
GRANT INSERT ON "audit_log", "jobs" TO pg_database_owner;
