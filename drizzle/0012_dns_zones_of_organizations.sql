-- Every organization has a zone of its handle; those that were there before get theirs, under their own ids, which are
-- ids of no zone. Who serves it, and whether it lies in the base domain, is settled when a provider is configured.
INSERT INTO "dns_zones" ("id", "organization_id", "name", "provider", "challenge")
SELECT "id", "id", "handle", 'custom', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')
FROM "organizations"
ON CONFLICT DO NOTHING;
--> statement-breakpoint
INSERT INTO "dns_provider_zones" ("provider", "name", "next_attempt_at")
SELECT "provider", "name", now() FROM "dns_zones"
ON CONFLICT DO NOTHING;
