CREATE TABLE "deployments" (
	"id" uuid PRIMARY KEY NOT NULL,
	"license_id" uuid NOT NULL,
	"organization_id" uuid NOT NULL,
	"name" text NOT NULL,
	"subdomain" text NOT NULL,
	"base_domain" text NOT NULL,
	"component_type" text NOT NULL,
	"parent_deployment_id" uuid,
	"hosting_type" text NOT NULL,
	"version" text,
	"status" text DEFAULT 'pending' NOT NULL,
	"health" text DEFAULT 'unknown' NOT NULL,
	"reported_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "licenses" (
	"id" uuid PRIMARY KEY NOT NULL,
	"key_hash" text NOT NULL,
	"plan" text NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"active" boolean DEFAULT true NOT NULL,
	"organization_id" uuid,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "licenses_key_hash_unique" UNIQUE("key_hash"),
	CONSTRAINT "licenses_organization_unique" UNIQUE("organization_id")
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"address" text,
	"pool" text NOT NULL,
	"organization_id" uuid,
	"memory_mb" bigint NOT NULL,
	"disk_mb" bigint NOT NULL,
	"cpu_percent" bigint NOT NULL,
	"used_memory_mb" bigint DEFAULT 0 NOT NULL,
	"used_disk_mb" bigint DEFAULT 0 NOT NULL,
	"used_cpu_percent" bigint DEFAULT 0 NOT NULL,
	"draining" boolean DEFAULT false NOT NULL,
	"token_hash" text NOT NULL,
	"agent_version" text,
	"last_heartbeat_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "nodes_name_unique" UNIQUE("name"),
	CONSTRAINT "nodes_token_hash_unique" UNIQUE("token_hash"),
	CONSTRAINT "nodes_memory" CHECK ("nodes"."used_memory_mb" between 0 and "nodes"."memory_mb"),
	CONSTRAINT "nodes_disk" CHECK ("nodes"."used_disk_mb" between 0 and "nodes"."disk_mb"),
	CONSTRAINT "nodes_cpu" CHECK ("nodes"."used_cpu_percent" between 0 and "nodes"."cpu_percent")
);
--> statement-breakpoint
CREATE TABLE "servers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"organization_id" uuid NOT NULL,
	"node_id" uuid NOT NULL,
	"name" text NOT NULL,
	"memory_mb" bigint NOT NULL,
	"disk_mb" bigint NOT NULL,
	"cpu_percent" bigint NOT NULL,
	"desired_state" text DEFAULT 'running' NOT NULL,
	"state" text DEFAULT 'creating' NOT NULL,
	"reported_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "deployments" ADD CONSTRAINT "deployments_license_id_licenses_id_fk" FOREIGN KEY ("license_id") REFERENCES "public"."licenses"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deployments" ADD CONSTRAINT "deployments_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deployments" ADD CONSTRAINT "deployments_parent_deployment_id_deployments_id_fk" FOREIGN KEY ("parent_deployment_id") REFERENCES "public"."deployments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "licenses" ADD CONSTRAINT "licenses_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "nodes" ADD CONSTRAINT "nodes_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "servers" ADD CONSTRAINT "servers_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "servers" ADD CONSTRAINT "servers_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "deployments_address" ON "deployments" USING btree ("subdomain","base_domain") WHERE "deployments"."status" <> 'destroyed';--> statement-breakpoint
CREATE INDEX "deployments_license" ON "deployments" USING btree ("license_id","id");--> statement-breakpoint
CREATE INDEX "deployments_organization" ON "deployments" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "deployments_parent" ON "deployments" USING btree ("parent_deployment_id");--> statement-breakpoint
CREATE INDEX "nodes_organization" ON "nodes" USING btree ("organization_id");--> statement-breakpoint
CREATE INDEX "servers_organization" ON "servers" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "servers_node" ON "servers" USING btree ("node_id","id");