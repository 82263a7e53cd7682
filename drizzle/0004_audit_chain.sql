CREATE TABLE "audit_chains" (
	"id" uuid PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	"seal" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "chain_id" uuid GENERATED ALWAYS AS (coalesce(organization_id, user_id)) STORED NOT NULL;--> statement-breakpoint
-- The rows that there are get their places but no seals: those need the server's secret. The chains go on from them.
ALTER TABLE "audit_log" ADD COLUMN "seq" bigint;--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "seal" text NOT NULL DEFAULT '';--> statement-breakpoint
UPDATE "audit_log" a SET "seq" = numbered.seq
FROM (SELECT "id", row_number() OVER (PARTITION BY "chain_id" ORDER BY "id") AS seq FROM "audit_log") numbered
WHERE numbered."id" = a."id";--> statement-breakpoint
ALTER TABLE "audit_log" ALTER COLUMN "seq" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "audit_log" ALTER COLUMN "seal" DROP DEFAULT;--> statement-breakpoint
INSERT INTO "audit_chains" SELECT "chain_id", max("seq"), '' FROM "audit_log" GROUP BY "chain_id";--> statement-breakpoint
CREATE UNIQUE INDEX "audit_log_chain" ON "audit_log" USING btree ("chain_id","seq");
