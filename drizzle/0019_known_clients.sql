CREATE TABLE "known_clients" (
	"user_id" uuid NOT NULL,
	"client" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "known_clients_user_id_client_pk" PRIMARY KEY("user_id","client")
);
--> statement-breakpoint
DROP INDEX "audit_log_logins";--> statement-breakpoint
ALTER TABLE "known_clients" ADD CONSTRAINT "known_clients_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
-- Who signed in before is known; of IPv6 addresses the first four groups are the /64, written out in all but a few.
INSERT INTO "known_clients" ("user_id", "client", "created_at")
SELECT "user_id", coalesce(substring(lower("ip_address") from '^((?:[0-9a-f]{1,4}:){3}[0-9a-f]{1,4}):') || '::/64',
  regexp_replace("ip_address", '^::ffff:', '')), min("created_at")
FROM "audit_log" WHERE "action" = 'login' AND length("ip_address") < 100 AND "user_id" IN (SELECT "id" FROM "users")
GROUP BY 1, 2;
