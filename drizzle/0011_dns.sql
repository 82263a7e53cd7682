CREATE TABLE "dns_provider_zones" (
	"provider" text NOT NULL,
	"name" text NOT NULL,
	"provider_zone_id" text,
	"nameservers" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"ds" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"synced_version" integer DEFAULT 0 NOT NULL,
	"synced_at" timestamp (3) with time zone,
	"touched" boolean DEFAULT false NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"blocked_until" timestamp (3) with time zone,
	"lease" integer DEFAULT 0 NOT NULL,
	"lease_until" timestamp (3) with time zone,
	"last_error" text,
	CONSTRAINT "dns_provider_zones_provider_name_pk" PRIMARY KEY("provider","name")
);
--> statement-breakpoint
CREATE TABLE "dns_records" (
	"id" uuid PRIMARY KEY NOT NULL,
	"zone_id" uuid NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"content" text NOT NULL,
	"ttl" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "dns_records_ttl" CHECK ("dns_records"."ttl" between 60 and 86400)
);
--> statement-breakpoint
CREATE TABLE "dns_zones" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"name" text NOT NULL,
	"provider" text NOT NULL,
	"challenge" text NOT NULL,
	"verified_at" timestamp (3) with time zone,
	"dnssec" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "dns_zones_name_unique" UNIQUE("name")
);
--> statement-breakpoint
ALTER TABLE "dns_records" ADD CONSTRAINT "dns_records_zone_id_dns_zones_id_fk" FOREIGN KEY ("zone_id") REFERENCES "public"."dns_zones"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "dns_zones" ADD CONSTRAINT "dns_zones_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "dns_provider_zones_due" ON "dns_provider_zones" USING btree ("provider","next_attempt_at");--> statement-breakpoint
CREATE INDEX "dns_records_zone" ON "dns_records" USING btree ("zone_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "dns_records_unique" ON "dns_records" USING btree ("zone_id","name","type",md5("content"));--> statement-breakpoint
CREATE INDEX "dns_zones_organization" ON "dns_zones" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "dns_zones_name_reversed" ON "dns_zones" USING btree (reverse("name") text_pattern_ops);