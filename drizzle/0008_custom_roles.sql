CREATE TABLE "custom_roles" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"name" text NOT NULL,
	"permissions" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "custom_roles_name_unique" UNIQUE("organization_id","name"),
	CONSTRAINT "custom_roles_name_own" CHECK ("custom_roles"."name" not in ('owner', 'admin', 'member'))
);
--> statement-breakpoint
ALTER TABLE "invitations" ADD COLUMN "custom_role" text GENERATED ALWAYS AS (case when role not in ('owner', 'admin', 'member') and status = 'pending' then role end) STORED;--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "custom_role" text GENERATED ALWAYS AS (case when role not in ('owner', 'admin', 'member') then role end) STORED;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "custom_default_role" text GENERATED ALWAYS AS (case when default_role not in ('owner', 'admin', 'member') then default_role end) STORED;--> statement-breakpoint
ALTER TABLE "custom_roles" ADD CONSTRAINT "custom_roles_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "custom_roles_name_any_case" ON "custom_roles" USING btree ("organization_id",lower("name"));